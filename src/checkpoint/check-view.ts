import { itemSize } from '../tensor/index.ts'
import type { TensorLimits } from './limits.ts'
import type { TensorView } from './value-tree.ts'

/**
 * An empty view reads nothing and keeps the offset it came by: `x[::3][4:]` of 10 elements has offset 12, one storage
 * length more for each dimension at most, and `zeros(5, 0, 4)[2]` has offset 8 in a storage of none. Larger offsets are forged.
 */
const EMPTY_OFFSET = 2 ** 20

/** What is wrong with a view: the sentence, and whether it is a contradiction or only too large. */
export interface ViewProblem {
  readonly kind: 'corrupt' | 'limit'
  readonly message: string
}

/**
 * Checks that every element of a view lies inside its storage, before anything is read through it. PyTorch does the same in
 * `set_` (ATen/native/Resize.h, checkInBoundsForStorage) and refuses negative strides.
 */
export function checkView(view: TensorView, storageBytes: number, limits: TensorLimits): ViewProblem | null {
  const { dtype, shape, stride, storageOffset } = view
  const wrong = (message: string): ViewProblem => ({ kind: 'corrupt', message })
  const tooLarge = (message: string): ViewProblem => ({ kind: 'limit', message })
  if (shape.length > limits.maxRank)
    return tooLarge(`a tensor of ${shape.length} dimensions, the limit is ${limits.maxRank}`)
  if (shape.length !== stride.length)
    return wrong(`a tensor of ${shape.length} dimensions has ${stride.length} strides`)
  const text = (): string => `shape [${shape.join(', ')}], stride [${stride.join(', ')}], offset ${storageOffset}`
  if (![...shape, ...stride, storageOffset].every((size) => Number.isSafeInteger(size) && size >= 0))
    return wrong(`a tensor with ${text()}: negative or not countable`)
  let elements = 1
  for (const size of shape) {
    elements *= size
    if (!Number.isSafeInteger(elements))
      return tooLarge(`a tensor with ${text()} has more elements than can be counted`)
  }
  const available = Math.floor(storageBytes / itemSize(dtype))
  const tooFar = (): ViewProblem =>
    wrong(`a tensor with ${text()} needs more than the ${available} elements of its storage`)
  if (shape.includes(0)) return storageOffset > available * (shape.length + 1) + EMPTY_OFFSET ? tooFar() : null
  let last = storageOffset
  for (let axis = 0; axis < shape.length; axis++) last += (shape[axis]! - 1) * stride[axis]!
  // A sum beyond 2^53 is rounded, and still larger than any storage.
  if (last >= available) return tooFar()
  const bytes = elements * itemSize(dtype)
  if (bytes > storageBytes && bytes > limits.maxExpandedBytes)
    return tooLarge(
      `a tensor with ${text()} stands for ${bytes} bytes in a storage of ${storageBytes}; the limit for expanded views is ${limits.maxExpandedBytes}`,
    )
  return null
}
