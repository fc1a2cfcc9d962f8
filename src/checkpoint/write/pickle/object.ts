import { invariant } from '../../../error.ts'
import { STORAGE_DTYPES } from '../../pickle/globals.ts'
import type { TensorEntry, ValueNode } from '../../value-tree.ts'
import { appendItems, emitEmptyOrderedDict, emitState, setItems } from './container.ts'
import { emitIntegers, endTuple } from './leaf.ts'
import { emit, emitBool, emitGlobal, emitInteger, memoize } from './pickle-output.ts'
import { emitStorage } from './tensor.ts'
import type { NodeWriter, PickleContext } from './pickle-context.ts'

type ObjectNode = Extract<ValueNode, { kind: 'object' }>

/** Writes what the tree only represents: a bare name, a bare storage, a quantized tensor, or the call that makes an object. */
export function* emitObject(context: PickleContext, node: ObjectNode): NodeWriter {
  const { output } = context
  if (node.class === 'global') {
    emitGlobal(output, textOf(context, node.args))
    return undefined
  }
  if (STORAGE_DTYPES.has(node.class)) {
    emitStorage(context, tensorOf(context, itemsOf(context, node.args)[0]).storage)
    return undefined
  }
  const state = node.state
  // Tensors with attributes: their state is no state of the call.
  const wrapped = state !== undefined && node.class.startsWith('torch._utils._rebuild_')
  if (wrapped) {
    emitGlobal(output, 'torch._tensor._rebuild_from_type_v2')
    emit(output, 'MARK')
  }
  emitGlobal(output, node.class)
  if (wrapped) emitGlobal(output, 'torch.Tensor')
  if (node.class === 'torch._utils._rebuild_qtensor') yield* emitQuantized(context, node)
  else if (node.args === undefined) emit(output, 'EMPTY_TUPLE')
  else yield node.args
  if (wrapped) {
    yield state
    endTuple(output, 4)
  }
  emit(output, 'REDUCE')
  const memo = memoize(output)
  if (node.items !== undefined) yield* appendItems(output, node.items)
  if (node.entries !== undefined) yield* setItems(output, node.entries)
  if (state !== undefined && !wrapped) yield* emitState(output, state)
  return memo
}

/** The tree has the integers as a tensor and the quantizer; PyTorch wants `(storage, offset, size, stride, quantizer, requires_grad, hooks)`. */
function* emitQuantized(context: PickleContext, node: ObjectNode): Generator<number, void> {
  const { output } = context
  const [integers, quantizer] = itemsOf(context, node.args)
  const entry = tensorOf(context, integers)
  invariant(quantizer !== undefined, 'a quantized tensor has a quantizer')
  emit(output, 'MARK')
  emitStorage(context, entry.storage)
  emitInteger(output, entry.storageOffset)
  emitIntegers(output, entry.shape)
  emitIntegers(output, entry.stride)
  yield quantizer
  emitBool(output, entry.requiresGrad)
  emitEmptyOrderedDict(output)
  endTuple(output, 7)
}

function itemsOf({ value }: PickleContext, index: number | undefined): readonly number[] {
  const node = index === undefined ? undefined : value.tree.nodes[index]
  invariant(node?.kind === 'tuple', 'the arguments of an object are a tuple')
  return node.items
}

function tensorOf({ value }: PickleContext, index: number | undefined): TensorEntry {
  const node = index === undefined ? undefined : value.tree.nodes[index]
  invariant(node?.kind === 'tensor', 'a storage is kept as a tensor of its elements')
  return value.tensors[node.tensor]!
}

function textOf({ value }: PickleContext, index: number | undefined): string {
  const node = index === undefined ? undefined : value.tree.nodes[index]
  invariant(node?.kind === 'string', 'a bare global has its path')
  return node.value
}
