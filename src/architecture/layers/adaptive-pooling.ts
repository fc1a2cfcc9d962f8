import { z } from 'zod'
import { size } from './arguments.ts'
import { expectInput, ints, layer, type Layer } from './layer.ts'

const adaptiveSize = z
  .union([size, z.null(), z.array(size.nullable()).length(2)], {
    error: 'a positive whole number, null, or a list of two of them',
  })
  .transform((value): readonly (number | null)[] => (Array.isArray(value) ? value : [value, value]))

const adaptiveAveragePool = layer(
  'AdaptiveAvgPool2d',
  z.strictObject({ output_size: adaptiveSize }),
  ({ output_size }, input, site) => {
    expectInput(site, input, [3], '[N, channels, height, width]')
    const [channels, ...from] = input.shape
    const to = output_size.map((length, i) => length ?? from[i]!)
    const shape = [channels!, ...to]
    if (to.every((length) => length === 1))
      return { ...input, value: site.node('GlobalAveragePool', [input.value]), shape }
    const kernel = from.map((length, i) => length / to[i]!)
    if (kernel.every(Number.isInteger)) {
      const attributes = { kernel_shape: ints(kernel), strides: ints(kernel) }
      return { ...input, value: site.node('AveragePool', [input.value], attributes), shape }
    }
    // Windows of different lengths: each dimension is multiplied by a matrix that averages them.
    const [height, width] = [from[0]!, from[1]!]
    const left = site.constant('rows', 'float32', [to[0]!, height], () =>
      averagingMatrix(height, to[0]!, (window, position) => window * height + position),
    )
    const right = site.constant('columns', 'float32', [width, to[1]!], () =>
      averagingMatrix(width, to[1]!, (window, position) => position * to[1]! + window),
    )
    const value = site.node('MatMul', [left, site.node('MatMul', [input.value, right])])
    return { ...input, value, shape }
  },
)

/**
 * For each window, one over its length at its positions; `at` says where in the matrix.
 * Source: torch/aten/src/ATen/native/AdaptivePooling.h, start_index and end_index.
 */
function averagingMatrix(
  from: number,
  to: number,
  at: (window: number, position: number) => number,
): ArrayLike<number> {
  const matrix = new Float32Array(from * to)
  for (let window = 0; window < to; window++) {
    const start = Math.floor((window * from) / to)
    const end = Math.ceil(((window + 1) * from) / to)
    for (let position = start; position < end; position++) matrix[at(window, position)] = 1 / (end - start)
  }
  return matrix
}

/** Pooling to a given size. */
export const ADAPTIVE_POOLING: readonly Layer[] = [adaptiveAveragePool]
