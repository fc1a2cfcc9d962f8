import { itemSize, type DType } from '../../tensor/index.ts'
import { checkView } from '../check-view.ts'
import { OPAQUE_TENSORS } from '../opaque-tensors.ts'
import type { TensorEntry } from '../value-tree.ts'
import { dtypeOf, flagOf, integerOf, ofKind, positional, sizesOf } from './arguments.ts'
import { getEntry } from './dict-entries.ts'
import { corrupt, overLimit, unsupported, type PickleMachine } from './machine-state.ts'
import {
  typeName,
  type PickleDict,
  type PickleObject,
  type PickleStorage,
  type PickleTensor,
  type PickleValue,
} from './pickle-value.ts'

/** What a rebuild function becomes: a function of the arguments tuple. */
export type Reducer = (machine: PickleMachine, path: string, args: PickleValue) => PickleObject

/** The functions of torch/_utils.py that make a tensor of a storage, and a Parameter of a tensor. */
export const TENSOR_REDUCERS: Readonly<Record<string, Reducer>> = {
  'torch._utils._rebuild_tensor'(machine, path, args) {
    const [storage, offset, size, stride] = positional(machine, path, args, 4)
    return strided(machine, { storage, offset, size, stride })
  },
  'torch._utils._rebuild_tensor_v2'(machine, path, args) {
    const [storage, offset, size, stride, requiresGrad, hooks, metadata] = positional(machine, path, args, 6, 7)
    checkHooks(machine, hooks)
    checkMetadata(machine, metadata)
    return strided(machine, { storage, offset, size, stride, requiresGrad })
  },
  'torch._utils._rebuild_tensor_v3'(machine, path, args) {
    const [storage, offset, size, stride, requiresGrad, hooks, dtype, metadata] = positional(machine, path, args, 7, 8)
    checkHooks(machine, hooks)
    checkMetadata(machine, metadata)
    return strided(machine, { storage, offset, size, stride, requiresGrad, dtype: dtypeOf(machine, dtype) })
  },
  'torch._utils._rebuild_qtensor'(machine, path, args) {
    const [storage, offset, size, stride, quantizer, requiresGrad, hooks] = positional(machine, path, args, 7)
    checkHooks(machine, hooks)
    // The storage and its view are folded into one tensor of the integers; the quantizer stays as it is.
    const integers = strided(machine, { storage, offset, size, stride, requiresGrad })
    const items = [integers, ofKind(machine, quantizer, 'tuple', 'the quantizer')]
    return { kind: 'object', class: path, args: { kind: 'tuple', items } }
  },
  'torch._utils._rebuild_parameter'(machine, path, args) {
    const [tensor, requiresGrad, hooks] = positional(machine, path, args, 3)
    checkHooks(machine, hooks)
    // A Parameter on the meta device, or of a sparse or quantized tensor.
    if (typeof tensor === 'object' && tensor?.kind === 'object' && OPAQUE_TENSORS.has(tensor.class))
      return { kind: 'object', class: path, args }
    return parameter(machine, tensor, requiresGrad)
  },
  'torch._utils._rebuild_parameter_with_state'(machine, path, args) {
    const [tensor, requiresGrad, hooks, state] = positional(machine, path, args, 4)
    checkHooks(machine, hooks)
    return withState(parameter(machine, tensor, requiresGrad), state!)
  },
}

/** `torch.nn.Parameter(tensor, requires_grad)`. */
export function parameter(
  machine: PickleMachine,
  value: PickleValue | undefined,
  requiresGrad: PickleValue | undefined,
): PickleTensor {
  const { entry, state } = ofKind(machine, value, 'tensor', 'the data of a Parameter')
  const flag = flagOf(machine, requiresGrad, 'requires_grad')
  return tensorOf({ ...entry, requiresGrad: flag, isParameter: true }, state)
}

/** A tensor with Python attributes; a state of nothing is no state. */
export function withState(tensor: PickleTensor, state: PickleValue): PickleTensor {
  const empty = state === null || (typeof state === 'object' && state.kind === 'dict' && state.entries.length === 0)
  return empty ? tensor : tensorOf(tensor.entry, state)
}

const tensorOf = (entry: TensorEntry, state: PickleValue | undefined): PickleTensor =>
  state === undefined ? { kind: 'tensor', entry } : { kind: 'tensor', entry, state }

interface StridedArguments {
  readonly storage: PickleValue | undefined
  readonly offset: PickleValue | undefined
  readonly size: PickleValue | undefined
  readonly stride: PickleValue | undefined
  readonly requiresGrad?: PickleValue | undefined
  readonly dtype?: DType
}

function strided(machine: PickleMachine, args: StridedArguments): PickleTensor {
  const storage = ofKind(machine, args.storage, 'storage', 'the storage of a tensor')
  const entry: TensorEntry = {
    storage: storage.index,
    dtype: args.dtype ?? storage.dtype,
    shape: sizesOf(machine, args.size, 'a shape'),
    stride: sizesOf(machine, args.stride, 'a stride'),
    storageOffset: integerOf(machine, args.offset, 'a storage offset'),
    requiresGrad: args.requiresGrad === undefined ? false : flagOf(machine, args.requiresGrad, 'requires_grad'),
    isParameter: false,
  }
  checkTensor(machine, entry, storage)
  if (storage.start === 0) return { kind: 'tensor', entry }
  const first = storage.start / itemSize(entry.dtype)
  if (!Number.isInteger(first))
    throw corrupt(machine, `a tensor of ${entry.dtype} at byte ${storage.start} of its storage`)
  return { kind: 'tensor', entry: { ...entry, storageOffset: first + entry.storageOffset } }
}

function checkTensor(machine: PickleMachine, entry: TensorEntry, storage: PickleStorage): void {
  if (++machine.tensorCount > machine.tensorLimits.maxTensors)
    throw overLimit(machine, `the pickle makes more than ${machine.tensorLimits.maxTensors} tensors`)
  const problem = checkView(entry, storage.byteLength, machine.tensorLimits)
  if (problem) throw (problem.kind === 'limit' ? overLimit : corrupt)(machine, problem.message)
}

/** PyTorch saves an empty OrderedDict for the backward hooks, always. */
function checkHooks(machine: PickleMachine, hooks: PickleValue | undefined): void {
  const empty = hooks === null || (typeof hooks === 'object' && isDict(hooks) && hooks.entries.length === 0)
  if (!empty) throw unsupported(machine, 'a tensor with backward hooks; save it without them')
}

/** `conj` and `neg` say that the elements are to be conjugated or negated when they are read (torch 1.10 and later). */
function checkMetadata(machine: PickleMachine, metadata: PickleValue | undefined): void {
  if (metadata === undefined || metadata === null) return
  if (typeof metadata !== 'object' || !isDict(metadata))
    throw corrupt(machine, `the metadata of a tensor should be a dict and is a ${typeName(metadata)}`)
  for (const name of ['conj', 'neg'])
    if (getEntry(metadata, name) !== undefined && getEntry(metadata, name) !== false)
      throw unsupported(machine, `a tensor that is lazily ${name}-ed; call .resolve_${name}() before torch.save`)
}

const isDict = (value: PickleObject): value is PickleDict => value.kind === 'dict' || value.kind === 'ordered_dict'
