import { dimensionOf, isBatchOnly, sameSize, shapeText, type Size } from '../size.ts'
import { elementsOf, flatIndex, isFollowed, smallShape } from './elements.ts'
import type { Element, NodeContext, Value } from './operator.ts'

/** The shape of several shapes together, aligned at the right, where a size of 1 stretches. */
export function broadcastShapes(node: NodeContext, shapes: readonly (readonly Size[])[]): readonly Size[] {
  return shapes.reduce((a, b) => {
    const rank = Math.max(a.length, b.length)
    return Array.from({ length: rank }, (_, axis) =>
      broadcastSizes(node, a[axis - rank + a.length] ?? 1, b[axis - rank + b.length] ?? 1, a, b),
    )
  }, [])
}

function broadcastSizes(node: NodeContext, a: Size, b: Size, left: readonly Size[], right: readonly Size[]): Size {
  if (a === 1 || sameSize(a, b)) return b
  if (b === 1) return a
  if (typeof a === 'number' && typeof b === 'number')
    node.fail(`shapes ${shapeText(left)} and ${shapeText(right)} do not fit: ${a} and ${b} are neither equal nor 1`)
  if ((isBatchOnly(a) || typeof a === 'number') && (isBatchOnly(b) || typeof b === 'number'))
    node.fail(
      `shapes ${shapeText(left)} and ${shapeText(right)} do not fit: ${dimensionOf(a)} and ${dimensionOf(b)} are ` +
        `equal for no batch, or for one only. ${FIXED_BATCH}`,
    )
  // Two other open sizes may well be equal when the graph runs.
  return typeof a === 'number' ? a : b
}

/** What to do about a graph that holds the batch size of the sample input it was exported with. */
export const FIXED_BATCH =
  'If the graph was exported for one batch size only, export it again with an open batch: ' +
  "dynamic_axes={'x': {0: 'N'}} (dynamo=False) or dynamic_shapes=({0: torch.export.Dim('N')},) (dynamo=True)."

/** An elementwise operation over broadcast inputs, with elements where they are followed. */
export function elementwise(
  node: NodeContext,
  inputs: readonly Value[],
  dtype: Value['dtype'],
  combine?: (...elements: readonly Size[]) => Element,
): Value {
  const shape = broadcastShapes(
    node,
    inputs.map((input) => input.shape),
  )
  const small = smallShape(shape)
  if (!combine || !small || !isFollowed(dtype) || !inputs.every((input) => input.elements)) return { dtype, shape }
  const elements = elementsOf(small, (index) => {
    const operands = inputs.map((input) => input.elements![flatIndex(input.shape as readonly number[], index)] ?? null)
    return operands.every((operand) => operand !== null) ? combine(...operands) : null
  })
  return { dtype, shape, elements }
}

/** @throws AppError ARCHITECTURE_INVALID when the inputs at the indices are of different dtypes. */
export function sameDType(node: NodeContext, inputs: readonly Value[]): Value['dtype'] {
  const dtypes = new Set(inputs.map((input) => input.dtype))
  if (dtypes.size > 1) node.fail(`its inputs have different dtypes: ${[...dtypes].join(', ')}`)
  return inputs[0]!.dtype
}
