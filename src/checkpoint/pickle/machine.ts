import type { AppError } from '../../error.ts'
import type { CheckpointLimits } from '../limits.ts'
import type { GlobalReference } from '../value-tree.ts'
import { HANDLERS } from './handlers.ts'
import { corrupt, overLimit, pop, unsupported, type PersistentLoad, type PickleMachine } from './machine-state.ts'
import { OPCODE, opcodeName } from './opcodes.ts'
import type { PickleForeign, PickleValue } from './pickle-value.ts'

/** How to read a pickle. */
export interface PickleOptions {
  /** What messages call it: `model.pth: data.pkl`. */
  readonly where: string
  readonly limits: Pick<CheckpointLimits, 'pickle' | 'tensor'>
  readonly persistentLoad: PersistentLoad
  /** First byte; a legacy file holds several pickles one after the other. */
  readonly start?: number
}

/** What a pickle holds. */
export interface PickleResult {
  /** The value; undefined when the pickle could not be read to its end. */
  readonly value?: PickleValue
  /** Why it could not. */
  readonly failure?: unknown
  /** Byte behind the last opcode that was read. */
  readonly end: number
  /** Every global, in order of first use. */
  readonly globals: readonly GlobalReference[]
  /** Those outside of the closed list. When there is one, the value is not to be used. */
  readonly foreign: readonly GlobalReference[]
  /** What the pickle does with a foreign name, beyond naming it. */
  readonly uses: ReadonlyMap<GlobalReference, NonNullable<PickleForeign['use']>>
  /** Foreign classes of which a torch.nn.Module was pickled. */
  readonly modules: readonly GlobalReference[]
}

/**
 * Reads a pickle without executing anything: opcodes move data, names are looked up in a closed list, calls become nodes.
 * The loop is iterative and every step is bounded, so no input makes it recurse, hang, or take unbounded memory.
 * It returns a failure instead of throwing, because names that were found before it explain the file better.
 */
export function readPickle(bytes: Uint8Array, options: PickleOptions): PickleResult {
  const machine: PickleMachine = {
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    where: options.where,
    limits: options.limits.pickle,
    tensorLimits: options.limits.tensor,
    persistentLoad: options.persistentLoad,
    at: options.start ?? 0,
    opcodeAt: options.start ?? 0,
    stack: [],
    marks: [],
    memo: [],
    memoCount: 0,
    objectCount: 0,
    tensorCount: 0,
    globals: new Map(),
    modules: new Set(),
  }
  let outcome: Pick<PickleResult, 'value' | 'failure'>
  try {
    outcome = { value: run(machine) }
  } catch (failure) {
    outcome = { failure }
  }
  const references = [...machine.globals.values()]
  const foreign = references.filter((value): value is PickleForeign => value.kind === 'foreign')
  return {
    ...outcome,
    end: machine.at,
    globals: references.map(({ reference }) => reference),
    foreign: foreign.map(({ reference }) => reference),
    uses: new Map(foreign.flatMap(({ reference, use }) => (use === undefined ? [] : [[reference, use] as const]))),
    modules: foreign.filter((value) => machine.modules.has(value)).map(({ reference }) => reference),
  }
}

function run(machine: PickleMachine): PickleValue {
  const { bytes, limits } = machine
  for (let operations = 0; operations < limits.maxOperations; operations++) {
    machine.opcodeAt = machine.at
    const opcode = bytes[machine.at++]
    if (opcode === undefined) throw corrupt(machine, 'the pickle ends without STOP; the file was cut')
    if (opcode === OPCODE.STOP) return pop(machine)
    const handler = HANDLERS[opcode]
    if (!handler) throw refuseOpcode(machine, opcode)
    handler(machine)
  }
  throw overLimit(machine, `the pickle has more than ${limits.maxOperations} opcodes`)
}

function refuseOpcode(machine: PickleMachine, opcode: number): AppError {
  const name = opcodeName(opcode)
  return name === undefined
    ? corrupt(machine, `0x${opcode.toString(16).padStart(2, '0')} is no pickle opcode`)
    : unsupported(machine, `the pickle opcode ${name} is not supported; save the file with torch.save`)
}
