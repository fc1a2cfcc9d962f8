import { AppError } from '../error.ts'

/** Sizes of each dimension, outermost first. `[]` is a scalar. */
export type Shape = readonly number[]

/**
 * Number of elements of a shape.
 * @throws AppError LIMIT_EXCEEDED when the product is no safe integer.
 */
export function numel(shape: Shape): number {
  let product = 1
  for (const size of shape) {
    product *= size
    if (!Number.isSafeInteger(product))
      throw new AppError('LIMIT_EXCEEDED', `shape [${shape.join(', ')}] has more elements than can be counted`)
  }
  return product
}

/** Strides in elements of a contiguous row-major tensor. */
export function contiguousStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride
    // PyTorch counts an empty dimension as one here: zeros((0, 3)).stride() is (3, 1).
    stride *= Math.max(shape[axis]!, 1)
  }
  return strides
}

/** Whether strides (in elements) describe a dense row-major layout. Dimensions of size 1 may have any stride, as in PyTorch. */
export function isContiguous(shape: Shape, strides: readonly number[]): boolean {
  if (shape.includes(0)) return true
  let expected = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] === 1) continue
    if (strides[axis] !== expected) return false
    expected *= shape[axis]!
  }
  return true
}

/** Whether two shapes are equal. */
export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((size, i) => size === b[i])

/** A shape as PyTorch prints it: `torch.Size([3, 4])`. */
export const torchSize = (shape: Shape): string => `torch.Size([${shape.join(', ')}])`
