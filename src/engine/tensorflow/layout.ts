import type { Tf, TfTensor } from './library.ts'

/**
 * How the dimensions of a value lie: as in the graph ([batch, channels, height, width]), or with the channels at the end
 * ([batch, height, width, channels]), which is the one that TensorFlow convolves on processors.
 */
export type Layout = 'first' | 'last'

/** Where an axis of the graph is in a layout. */
export function axisIn(layout: Layout, axis: number, rank: number): number {
  if (layout === 'first' || axis === 0) return axis
  return axis === 1 ? rank - 1 : axis - 1
}

/** Sizes, or anything else that there is one of for each axis of the graph, in a layout. */
export function inLayout<T>(layout: Layout, sizes: readonly T[]): T[] {
  if (layout === 'first' || sizes.length < 3) return [...sizes]
  return [sizes[0]!, ...sizes.slice(2), sizes[1]!]
}

/** A tensor in another layout; no element moves where there is one channel, or one position. */
export function relaid(tf: Tf, tensor: TfTensor, from: Layout, to: Layout): TfTensor {
  const { shape } = tensor
  const rank = shape.length
  if (from === to || rank < 3) return tensor
  const axes = Array.from({ length: rank }, (_, axis) => axis)
  const order = to === 'last' ? [0, ...axes.slice(2), 1] : [0, rank - 1, ...axes.slice(1, -1)]
  const moved = order.filter((axis) => axis !== 0 && shape[axis] !== 1)
  const inOrder = moved.every((axis, i) => i === 0 || axis > moved[i - 1]!)
  if (inOrder)
    return tf.reshape(
      tensor,
      order.map((axis) => shape[axis]!),
    )
  return tf.transpose(tensor, order)
}
