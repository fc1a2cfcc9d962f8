import { integerOf, ofKind, positional, sizesOf, stringOf } from './arguments.ts'
import { setEntry } from './dict-entries.ts'
import { charge, corrupt, unsupported, type PickleMachine } from './machine-state.ts'
import { typeName, type PickleDict, type PickleObject, type PickleValue } from './pickle-value.ts'
import type { Reducer } from './rebuild-tensor.ts'

/** Python's own types that have no opcode in protocol 2, and torch's small ones. */
export const PLAIN_REDUCERS: Readonly<Record<string, Reducer>> = {
  'collections.OrderedDict': (m, path, args) => dictOfPairs(m, positional(m, path, args, 0, 1)[0]),
  'collections.Counter': (m, path, args) => counter(m, positional(m, path, args, 0, 1)[0]),
  'builtins.set': (m, path, args) => set(m, positional(m, path, args, 0, 1)[0]),
  'builtins.bytes': (m, path, args) => (positional(m, path, args, 0), { kind: 'bytes', value: new Uint8Array() }),
  'builtins.bytearray': (m, path, args) => bytearray(m, positional(m, path, args, 0, 2)),
  'builtins.complex': (m, path, args) => complex(m, positional(m, path, args, 2)),
  '_codecs.encode': (m, path, args) => ({ kind: 'bytes', value: latin1(m, positional(m, path, args, 2)) }),
  'torch.Size': (m, path, args) => ({ kind: 'size', sizes: sizesOf(m, positional(m, path, args, 1)[0], path) }),
  'torch.device': (m, path, args) => device(m, positional(m, path, args, 1, 2)),
}

function dictOfPairs(machine: PickleMachine, pairs: PickleValue | undefined): PickleDict {
  const dict: PickleDict = { kind: 'ordered_dict', entries: [] }
  if (pairs === undefined) return dict
  const { items } = ofKind(machine, pairs, 'list', 'the items of an OrderedDict')
  charge(machine, items.length)
  for (const pair of items) {
    const isPair =
      typeof pair === 'object' && (pair?.kind === 'list' || pair?.kind === 'tuple') && pair.items.length === 2
    if (!isPair) throw corrupt(machine, `an item of an OrderedDict is a ${typeName(pair)} instead of a pair`)
    insert(machine, dict, pair.items[0]!, pair.items[1]!)
  }
  return dict
}

function counter(machine: PickleMachine, counts: PickleValue | undefined): PickleDict {
  const dict: PickleDict = { kind: 'counter', entries: [] }
  if (counts === undefined) return dict
  const { entries } = ofKind(machine, counts, 'dict', 'the counts of a Counter')
  charge(machine, entries.length)
  for (const [key, count] of entries) insert(machine, dict, key, count)
  return dict
}

function insert(machine: PickleMachine, dict: PickleDict, key: PickleValue, value: PickleValue): void {
  if (!setEntry(dict, key, value))
    throw corrupt(machine, `a ${typeName(key)} is the key of a dict, and Python cannot hash it`)
}

function set(machine: PickleMachine, list: PickleValue | undefined): PickleObject {
  if (list === undefined) return { kind: 'set', items: [] }
  const { items } = ofKind(machine, list, 'list', 'the items of a set')
  charge(machine, items.length)
  return { kind: 'set', items: [...items] }
}

function bytearray(machine: PickleMachine, args: readonly PickleValue[]): PickleObject {
  if (args.length === 0) return { kind: 'bytearray', value: new Uint8Array() }
  if (args.length === 2) return { kind: 'bytearray', value: latin1(machine, args) }
  // Not an int: bytearray(10**12) allocates.
  return { kind: 'bytearray', value: ofKind(machine, args[0], 'bytes', 'the content of a bytearray').value }
}

/** A string that is memoised once can be encoded again and again; an object takes about this many bytes. */
const CHARACTERS_PER_OBJECT = 32

/** `codecs.encode(text, 'latin1')`: how protocol 2 writes bytes. */
function latin1(machine: PickleMachine, [text, encoding]: readonly PickleValue[]): Uint8Array {
  const name = stringOf(machine, encoding, 'an encoding')
  if (!/^(latin-?1|iso-8859-1)$/.test(name))
    throw unsupported(machine, `bytes in the encoding ${name}; only latin1 is read`)
  const characters = stringOf(machine, text, 'the text of bytes')
  charge(machine, Math.ceil(characters.length / CHARACTERS_PER_OBJECT))
  if (/[^\0-\xff]/.test(characters)) throw corrupt(machine, 'bytes with a character above 255')
  return Buffer.from(characters, 'latin1')
}

function complex(machine: PickleMachine, args: readonly PickleValue[]): PickleObject {
  const [re, im] = args.map((part) => {
    if (typeof part === 'number') return part
    return ofKind(machine, part, 'float', 'a part of a complex number').value
  })
  return { kind: 'complex', re: re!, im: im! }
}

function device(machine: PickleMachine, args: readonly PickleValue[]): PickleObject {
  const [, type, written] = /^([^:]*)(?::(\d{1,6}))?$/.exec(stringOf(machine, args[0], 'a device')) ?? []
  if (type === undefined) throw corrupt(machine, 'a device that is no name and number')
  const index =
    args[1] === undefined ? written && Number(written) : integerOf(machine, args[1], 'the number of a device')
  return { kind: 'device', type, ...(typeof index === 'number' ? { deviceIndex: index } : {}) }
}
