import { opcodeEnd } from '../../src/checkpoint/pickle/opcode-end.ts'
import { OPCODE } from '../../src/checkpoint/pickle/opcodes.ts'
import { global, int, str } from '../checkpoint/build-pickle.ts'
import { NUMBERS } from './mutate-bytes.ts'
import type { Random } from './random.ts'

/** Opcodes with their arguments that may appear anywhere. */
const POOL: readonly Buffer[] = [
  ...Object.values(OPCODE).map((opcode) => Buffer.concat([Buffer.from([opcode]), Buffer.alloc(8)])),
  ...['R', 'b', 'a', 'e', 's', 'u', 't', '(', '0', '1', '2', 'Q', ')', ']', '}'].map((opcode) => Buffer.from(opcode)),
  Buffer.from([OPCODE.NEWOBJ]),
  Buffer.from([OPCODE.EMPTY_SET]),
  Buffer.from([OPCODE.FROZENSET]),
  Buffer.from([OPCODE.MEMOIZE]),
  Buffer.from([OPCODE.STACK_GLOBAL]),
  global('os', 'system'),
  global('torch._utils', '_rebuild_tensor_v2'),
  global('torch._utils', '_rebuild_parameter'),
  global('torch._tensor', '_rebuild_from_type_v2'),
  global('collections', 'defaultdict'),
  global('collections', 'OrderedDict'),
  global('argparse', 'Namespace'),
  global('numpy._core.multiarray', '_reconstruct'),
  global('torch', 'FloatStorage'),
  str('storage'),
  int(2n ** 62n),
  int(-1),
]

/** One to three changes of a pickle's opcodes: left out, doubled, swapped, put in, with other arguments. */
export function mutatePickle(pickle: Buffer, random: Random): Buffer {
  const opcodes = splitPickle(pickle)
  for (let changes = 1 + random.below(3); changes > 0 && opcodes.length > 0; changes--) {
    const at = random.below(opcodes.length)
    const other = random.below(opcodes.length)
    switch (random.below(7)) {
      case 0:
        opcodes.splice(at, 1)
        break
      case 1:
        opcodes.splice(at, 0, ...Array<Buffer>(random.pick([1, 2, 1000])).fill(opcodes[at]!))
        break
      case 2:
        ;[opcodes[at], opcodes[other]] = [opcodes[other]!, opcodes[at]!]
        break
      case 3:
        opcodes.splice(at, 0, random.pick(POOL))
        break
      case 4:
        opcodes[at] = random.pick(POOL)
        break
      case 5:
        opcodes[at] = otherArgument(opcodes[at]!, random)
        break
      default:
        opcodes[at] = exchanged(opcodes[at]!, opcodes[other]!)
    }
  }
  return Buffer.concat(opcodes)
}

/** A pickle's opcodes, each with its argument. */
export function splitPickle(pickle: Buffer): Buffer[] {
  const opcodes: Buffer[] = []
  for (let at = 0; at < pickle.length;) {
    const end = opcodeEnd(pickle, at)
    if (end === undefined || end > pickle.length) return [...opcodes, pickle.subarray(at)]
    opcodes.push(pickle.subarray(at, end))
    at = end
  }
  return opcodes
}

function otherArgument(opcode: Buffer, random: Random): Buffer {
  const out = Buffer.from(opcode)
  if (out.length >= 5 && random.chance(0.5)) out.writeUInt32LE(random.pick(NUMBERS), 1)
  else if (out.length > 1) out[1 + random.below(out.length - 1)] = random.below(256)
  else out[0] = random.below(256)
  return out
}

/** The opcode of one with the argument of another. */
const exchanged = (opcode: Buffer, other: Buffer): Buffer => Buffer.concat([opcode.subarray(0, 1), other.subarray(1)])
