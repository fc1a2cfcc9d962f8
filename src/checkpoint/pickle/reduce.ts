import { ofKind, positional } from './arguments.ts'
import { DATA_CLASSES, type DataClass } from './data-classes.ts'
import { getEntry } from './dict-entries.ts'
import { corrupt, unsupported, type PickleMachine } from './machine-state.ts'
import {
  isForeign,
  typeName,
  type PickleDict,
  type PickleInstance,
  type PickleObject,
  type PickleValue,
} from './pickle-value.ts'
import { PLAIN_REDUCERS } from './plain-reducers.ts'
import { parameter, TENSOR_REDUCERS, withState, type Reducer } from './rebuild-tensor.ts'

/** What each callable of the closed list becomes when a pickle calls it. Names that are missing are no callables. */
const REDUCERS: ReadonlyMap<string, Reducer> = new Map<string, Reducer>([
  ...Object.entries(TENSOR_REDUCERS),
  ...Object.entries(PLAIN_REDUCERS),
  ['torch.serialization._get_layout', instance(1)],
  ['torch._tensor._rebuild_from_type_v2', rebuildFromType],
  // Tensors without a storage of their own: their parts are kept, nothing is made of them.
  ['torch._utils._rebuild_sparse_tensor', instance(2)],
  ['torch._utils._rebuild_sparse_csr_tensor', instance(2)],
  ['torch._utils._rebuild_nested_tensor', instance(4)],
  ['torch._utils._rebuild_meta_tensor_no_storage', instance(4)],
  ['torch._utils._rebuild_device_tensor_from_numpy', instance(4)],
  ['torch._utils._rebuild_device_tensor_from_cpu_tensor', instance(4)],
  ['numpy.dtype', instance(3)],
  ['numpy.core.multiarray.scalar', instance(2)],
  ['numpy._core.multiarray.scalar', instance(2)],
  ['numpy.core.multiarray._reconstruct', instance(3)],
  ['numpy._core.multiarray._reconstruct', instance(3)],
  // Arrays by pickle protocol 5.
  ['numpy.core.numeric._frombuffer', instance(4)],
  ['numpy._core.numeric._frombuffer', instance(4)],
  ...[...DATA_CLASSES].map(([path, cls]) => [path, dataObject(cls)] as const),
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
      if (DATA_CLASSES.get(path)?.byNew) return reduce(machine, cls, args)
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
  else if (kind === 'object' && DATA_CLASSES.get((target as PickleInstance).class)?.state === 'dict')
    setState(machine, target as PickleInstance, ofKind(machine, state, 'dict', `the state of a ${typeName(target)}`))
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

function dataObject({ call: [least, most], filled }: DataClass): Reducer {
  return (machine, path, args) => {
    positional(machine, path, args, least, most)
    return { kind: 'object', class: path, args, ...(filled === undefined ? {} : { [filled]: [] }) }
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
