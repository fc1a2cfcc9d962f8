import { z } from 'zod'
import { flag, number, only, size } from './arguments.ts'
import { batchText, int, ints, layer, type Layer } from './layer.ts'

const linear = layer(
  'Linear',
  z.strictObject({ in_features: size, out_features: size, bias: flag.default(true) }),
  ({ in_features, out_features, bias }, input, site) => {
    if (input.dtype !== 'float32') site.fail(`expects float32, the layer before gives ${input.dtype}`)
    const features = input.shape.at(-1)
    if (features !== in_features)
      site.fail(`expects ${in_features} features, the layer before gives ${batchText(input.shape)}`)
    const weight = site.parameter('weight', [out_features, in_features])
    const biases = bias ? [site.parameter('bias', [out_features])] : []
    const shape = [...input.shape.slice(0, -1), out_features]
    if (input.shape.length === 1) {
      const value = site.node('Gemm', [input.value, weight, ...biases], { transB: int(1) })
      return { ...input, value, shape }
    }
    const product = site.node('MatMul', [input.value, site.node('Transpose', [weight], { perm: ints([1, 0]) })])
    return { ...input, value: bias ? site.node('Add', [product, ...biases]) : product, shape }
  },
)

const embedding = layer(
  'Embedding',
  z.strictObject({
    num_embeddings: size,
    embedding_dim: size,
    padding_idx: z.int('a whole number').nullable().default(null),
    max_norm: only(null, 'null: max_norm changes the weights while they are read'),
    norm_type: number.default(2),
    scale_grad_by_freq: flag.default(false),
    sparse: flag.default(false),
  }),
  ({ num_embeddings, embedding_dim }, input, site) => {
    if (input.dtype !== 'int64' && input.dtype !== 'int32')
      site.fail(`expects int64 indices, but its input is ${input.dtype}; set "inputDtype": "int64"`)
    const weight = site.parameter('weight', [num_embeddings, embedding_dim])
    const value = site.node('Gather', [weight, input.value], { axis: int(0) })
    return { value, dtype: 'float32', shape: [...input.shape, embedding_dim] }
  },
)

/** Layers that multiply by a matrix or look up its rows. */
export const LINEAR: readonly Layer[] = [linear, embedding]
