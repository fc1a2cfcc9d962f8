import { integerOf, ofKind, positional, sizesOf, stringOf } from './arguments.ts'
import { getEntry, setEntry } from './dict-entries.ts'
import { charge, corrupt, unsupported, type PickleMachine } from './machine-state.ts'
import {
  isForeign,
  typeName,
  type PickleDict,
  type PickleInstance,
  type PickleObject,
  type PickleValue,
} from './pickle-value.ts'
import { parameter, TENSOR_REDUCERS, withState, type Reducer } from './rebuild-tensor.ts'

/** What each callable of the closed list becomes when a pickle calls it. Names that are missing are no callables. */
const REDUCERS: ReadonlyMap<string, Reducer> = new Map<string, Reducer>([
  ...Object.entries(TENSOR_REDUCERS),
  ['collections.OrderedDict', (m, path, args) => dictOfPairs(m, positional(m, path, args, 0, 1)[0])],
  ['collections.Counter', (m, path, args) => counter(m, positional(m, path, args, 0, 1)[0])],
  ['builtins.set', (m, path, args) => set(m, positional(m, path, args, 0, 1)[0])],
  ['builtins.bytes', (m, path, args) => (positional(m, path, args, 0), { kind: 'bytes', value: new Uint8Array() })],
  ['builtins.bytearray', (m, path, args) => bytearray(m, positional(m, path, args, 0, 2))],
  ['builtins.complex', (m, path, args) => complex(m, positional(m, path, args, 2))],
  ['_codecs.encode', (m, path, args) => ({ kind: 'bytes', value: latin1(m, positional(m, path, args, 2)) })],
  ['torch.Size', (m, path, args) => ({ kind: 'size', sizes: sizesOf(m, positional(m, path, args, 1)[0], path) })],
  ['torch.device', (m, path, args) => device(m, positional(m, path, args, 1, 2))],
  ['torch.serialization._get_layout', instance(1)],
  ['torch._tensor._rebuild_from_type_v2', rebuildFromType],
  // Tensors without a storage of their own: their parts are kept, nothing is made of them.
  ['torch._utils._rebuild_sparse_tensor', instance(2)],
  ['torch._utils._rebuild_nested_tensor', instance(4)],
  ['torch._utils._rebuild_meta_tensor_no_storage', instance(4)],
  ['torch._utils._rebuild_device_tensor_from_numpy', instance(4)],
  ['torch._utils._rebuild_device_tensor_from_cpu_tensor', instance(4)],
  ['numpy.dtype', instance(3)],
  ['numpy.core.multiarray.scalar', instance(2)],
  ['numpy._core.multiarray.scalar', instance(2)],
  ['numpy.core.multiarray._reconstruct', instance(3)],
  ['numpy._core.multiarray._reconstruct', instance(3)],
])

/** Objects that are completed by BUILD: numpy sets byte order, shape and bytes so. */
const BUILT_CLASSES: ReadonlySet<string> = new Set([
  'numpy.dtype',
  'numpy.core.multiarray._reconstruct',
  'numpy._core.multiarray._reconstruct',
])

/** REDUCE: the call of a name of the closed list. */
export function reduce(machine: PickleMachine, callable: PickleValue, args: PickleValue): PickleObject {
  const { path } = ofKind(machine, callable, 'global', 'what REDUCE calls')
  const reducer = REDUCERS.get(path)
  // torch.FloatTensor(10**12) is on PyTorch's list and allocates.
  if (!reducer) throw unsupported(machine, `a call of ${path}, which no torch.save writes`)
  return reducer(machine, path, args)
}

/** NEWOBJ: `cls.__new__(cls, *args)`. */
export function newObject(machine: PickleMachine, cls: PickleValue, args: PickleValue): PickleObject {
  const { path } = ofKind(machine, cls, 'global', 'what NEWOBJ makes')
  switch (path) {
    case 'torch.nn.parameter.Parameter': {
      const [tensor, requiresGrad = true] = positional(machine, path, args, 1, 2)
      return parameter(machine, tensor, requiresGrad)
    }
    case 'collections.OrderedDict':
    case 'collections.Counter':
    case 'builtins.set':
      // __new__ ignores its arguments; the items come by SETITEMS.
      positional(machine, path, args, 0)
      return reduce(machine, cls, args)
    default:
      throw unsupported(machine, `a new ${path} by NEWOBJ, which no torch.save writes`)
  }
}

/** BUILD: sets the state of the object on top of the stack. */
export function build(machine: PickleMachine, target: PickleValue, state: PickleValue): void {
  const kind = typeof target === 'object' && target !== null ? target.kind : undefined
  if (kind === 'tensor')
    throw unsupported(machine, 'a tensor of PyTorch 0.3 or older (BUILD); save it again with a newer PyTorch')
  if (isForeign(target)) {
    if (isModuleState(state)) machine.modules.add(target)
  } else if (kind === 'ordered_dict' || kind === 'counter')
    // `__dict__.update(state)`: a state_dict's `_metadata`.
    setState(machine, target as PickleDict, ofKind(machine, state, 'dict', `the state of a ${typeName(target)}`))
  else if (kind === 'object' && BUILT_CLASSES.has((target as PickleInstance).class))
    setState(machine, target as PickleInstance, ofKind(machine, state, 'tuple', `the state of a ${typeName(target)}`))
  else throw corrupt(machine, `BUILD sets the state of a ${typeName(target)}`)
}

function setState(machine: PickleMachine, target: { state?: PickleValue }, state: PickleValue): void {
  if (target.state !== undefined) throw corrupt(machine, 'BUILD sets the state of the same object twice')
  target.state = state
}

/** torch.nn.Module keeps its parameters and submodules in dicts of these names (torch/nn/modules/module.py). */
function isModuleState(state: PickleValue): boolean {
  const dict = typeof state === 'object' && state?.kind === 'tuple' ? state.items[0]! : state
  if (typeof dict !== 'object' || dict?.kind !== 'dict') return false
  return getEntry(dict, '_parameters') !== undefined && getEntry(dict, '_modules') !== undefined
}

/** A reducer that keeps the arguments as they are. */
function instance(arity: number): Reducer {
  return (machine, path, args) => {
    positional(machine, path, args, arity)
    return { kind: 'object', class: path, args }
  }
}

function rebuildFromType(machine: PickleMachine, path: string, args: PickleValue): PickleObject {
  const [callable, type, inner, state] = positional(machine, path, args, 4)
  const { path: called } = ofKind(machine, callable, 'global', 'the function that makes a tensor')
  // It may not call itself: that would recurse as deeply as the file likes.
  if (called === path) throw corrupt(machine, `${path} calls itself`)
  const { path: typePath } = ofKind(machine, type, 'global', 'the type of a tensor')
  if (typePath !== 'torch.Tensor' && typePath !== 'torch.nn.parameter.Parameter')
    throw unsupported(machine, `a tensor of the type ${typePath}`)
  const made = reduce(machine, callable!, inner!)
  if (made.kind === 'tensor') return withState(made, state!)
  if (made.kind !== 'object') throw corrupt(machine, `${called} makes no tensor`)
  return { ...made, ...(state === null ? {} : { state: state! }) }
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
