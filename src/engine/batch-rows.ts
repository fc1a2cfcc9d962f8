import type { TensorMap } from '../tensor/index.ts'

/** Some samples of a batch: views of its memory. */
export const batchRows = (batch: TensorMap, first: number, count: number): TensorMap =>
  new Map(
    [...batch].map(([name, { dtype, shape, data }]) => {
      const size = data.length / shape[0]!
      return [
        name,
        { dtype, shape: [count, ...shape.slice(1)], data: data.subarray(first * size, (first + count) * size) },
      ]
    }),
  )
