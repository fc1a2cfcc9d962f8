import type { TensorView } from './value-tree.ts'

/** A box of elements in a storage: sizes and strides (in elements) of its axes, and the element at its corner. */
export interface StridedBox {
  readonly offset: number
  readonly axes: readonly Axis[]
}

export interface Axis {
  readonly size: number
  readonly stride: number
}

/**
 * A view as a box with as few axes as possible in the same row-major order: axes of size 1 are left out, and neighbours
 * that one stride runs through are joined.
 */
export function boxOf({ shape, stride, storageOffset }: TensorView): StridedBox {
  const axes: Axis[] = []
  shape.forEach((size, i) => {
    if (size === 1) return
    const outer = axes.at(-1)
    const inner = { size, stride: stride[i]! }
    if (outer?.stride === size * inner.stride) axes[axes.length - 1] = { size: outer.size * size, stride: inner.stride }
    else axes.push(inner)
  })
  return { offset: storageOffset, axes }
}

/** Elements of a box. */
export const boxElements = ({ axes }: StridedBox): number => axes.reduce((product, { size }) => product * size, 1)

/** Cuts a box into boxes of at most `maxElements` that follow each other in row-major order. */
export function* splitBox(box: StridedBox, maxElements: number): Generator<StridedBox> {
  const [outer, ...inner] = box.axes
  if (!outer || boxElements(box) <= maxElements) {
    yield box
    return
  }
  const rows = Math.max(1, Math.floor(maxElements / boxElements({ offset: 0, axes: inner })))
  for (let row = 0; row < outer.size; row += rows) {
    const size = Math.min(rows, outer.size - row)
    const offset = box.offset + row * outer.stride
    // A single row may still be too large: its own axes are cut. The depth is that of the shape, at most 64.
    if (size === 1) yield* splitBox({ offset, axes: inner }, maxElements)
    else yield { offset, axes: [{ size, stride: outer.stride }, ...inner] }
  }
}
