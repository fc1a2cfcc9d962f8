import { describe, expect, test } from '@jest/globals'
import { contiguousStrides, isContiguous, numel, sameShape, torchSize } from '../../src/tensor/index.ts'

describe('shapes', () => {
  test('numel', () => {
    expect(numel([])).toBe(1)
    expect(numel([2, 3, 4])).toBe(24)
    expect(numel([2, 0, 4])).toBe(0)
    expect(() => numel([2 ** 30, 2 ** 30])).toThrow('more elements than can be counted')
  })

  // torch.zeros(shape).stride()
  test.each([
    [[], []],
    [[5], [1]],
    [
      [2, 3, 4],
      [12, 4, 1],
    ],
    [
      [0, 3],
      [3, 1],
    ],
    [
      [2, 0, 3],
      [3, 3, 1],
    ],
  ])('contiguous strides of %p are %p', (shape, strides) => {
    expect(contiguousStrides(shape)).toEqual(strides)
  })

  test('contiguity, as Tensor.is_contiguous()', () => {
    expect(isContiguous([2, 3], [3, 1])).toBe(true)
    expect(isContiguous([2, 3], [1, 2])).toBe(false)
    expect(isContiguous([1, 3], [99, 1])).toBe(true)
    expect(isContiguous([2, 0], [7, 7])).toBe(true)
    expect(isContiguous([4], [0])).toBe(false)
  })

  test('equality and PyTorch’s way to print', () => {
    expect(sameShape([1, 2], [1, 2])).toBe(true)
    expect(sameShape([1], [1, 1])).toBe(false)
    expect(torchSize([3, 4])).toBe('torch.Size([3, 4])')
    expect(torchSize([])).toBe('torch.Size([])')
  })
})
