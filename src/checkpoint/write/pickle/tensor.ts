import { invariant } from '../../../error.ts'
import type { TensorEntry, ValueNode } from '../../value-tree.ts'
import { emitEmptyOrderedDict } from './container.ts'
import { emitIntegers, endTuple } from './leaf.ts'
import { emit, emitBool, emitGlobal, emitInteger, emitNewText, emitText, memoize, recall } from './pickle-output.ts'
import type { NodeWriter, PickleContext } from './pickle-context.ts'

/**
 * Writes a tensor as torch does: a view of a persistent storage, a Parameter around it, its Python attributes.
 * Source: torch/_tensor.py, Tensor.__reduce_ex__; torch/nn/parameter.py, Parameter.__reduce_ex__.
 */
export function* emitTensor(context: PickleContext, node: Extract<ValueNode, { kind: 'tensor' }>): NodeWriter {
  const { output, value } = context
  const entry = value.tensors[node.tensor]
  invariant(entry !== undefined, `there is a tensor ${node.tensor}`)
  const { state } = node
  if (entry.isParameter) {
    emitGlobal(output, `torch._utils.${state === undefined ? '_rebuild_parameter' : '_rebuild_parameter_with_state'}`)
    if (state !== undefined) emit(output, 'MARK')
    emitGlobal(output, rebuildOf(context, entry))
    // The data of a Parameter needs no gradient; the Parameter does.
    emitViewArguments(context, { ...entry, requiresGrad: false })
    emit(output, 'REDUCE')
    memoize(output)
    emitBool(output, entry.requiresGrad)
    emitEmptyOrderedDict(output)
    if (state !== undefined) yield state
    endTuple(output, state === undefined ? 3 : 4)
  } else if (state === undefined) {
    emitGlobal(output, rebuildOf(context, entry))
    emitViewArguments(context, entry)
  } else {
    emitGlobal(output, 'torch._tensor._rebuild_from_type_v2')
    emit(output, 'MARK')
    emitGlobal(output, rebuildOf(context, entry))
    emitGlobal(output, 'torch.Tensor')
    emitViewArguments(context, entry)
    yield state
    endTuple(output, 4)
  }
  emit(output, 'REDUCE')
  return memoize(output)
}

const rebuildOf = ({ types }: PickleContext, { storage }: TensorEntry): string =>
  `torch._utils.${types[storage]!.untyped ? '_rebuild_tensor_v3' : '_rebuild_tensor_v2'}`

/** `(storage, offset, size, stride, requires_grad, hooks[, dtype])`. */
function emitViewArguments(context: PickleContext, entry: TensorEntry): void {
  const { output, types } = context
  const { untyped } = types[entry.storage]!
  emit(output, 'MARK')
  emitStorage(context, entry.storage)
  emitInteger(output, entry.storageOffset)
  emitIntegers(output, entry.shape)
  emitIntegers(output, entry.stride)
  emitBool(output, entry.requiresGrad)
  emitEmptyOrderedDict(output)
  if (untyped) emitGlobal(output, `torch.${entry.dtype}`)
  endTuple(output, untyped ? 7 : 6)
}

/** A storage by its persistent id: `('storage', class, key, location, length)`. Persistent ids are not memoised. */
export function emitStorage({ output, value, types, keys }: PickleContext, index: number): void {
  const storage = value.storages[index]
  invariant(storage !== undefined, `there is a storage ${index}`)
  const type = types[index]!
  emit(output, 'MARK')
  emitText(output, 'storage')
  emitGlobal(output, type.class)
  const known = keys.get(index)
  if (known !== undefined) recall(output, known)
  // A text of its own, as torch.save makes it.
  else keys.set(index, emitNewText(output, String(keys.size)))
  emitText(output, storage.location)
  emitInteger(output, storage.byteLength / type.unit)
  endTuple(output, 5)
  emit(output, 'BINPERSID')
}
