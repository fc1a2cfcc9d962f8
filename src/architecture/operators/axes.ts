import { shapeText, type Size } from '../size.ts'
import type { NodeContext } from './operator.ts'

/**
 * An axis counted from the start.
 * @throws AppError ARCHITECTURE_INVALID when it is outside of the rank.
 */
export function axisOf(node: NodeContext, axis: Size, rank: number): number {
  if (typeof axis !== 'number' || axis < -rank || axis >= rank || !Number.isInteger(axis))
    return node.fail(`axis ${shapeText([axis])} is outside of ${rank} dimensions`)
  return axis < 0 ? axis + rank : axis
}

/** Axes of an attribute or, from some operator set on, of an input; undefined when neither is given. */
export function axesOf(node: NodeContext, input: number, rank: number): readonly number[] | undefined {
  const axes = node.ints('axes') ?? node.known(input)
  return axes?.map((axis) => axisOf(node, axis, rank))
}
