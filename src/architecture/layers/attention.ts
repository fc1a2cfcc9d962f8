import { z } from 'zod'
import { flag, number, only, size } from './arguments.ts'
import { expectInput, float, int, ints, layer, text, type Flow, type Layer, type Site } from './layer.ts'

const batchFirst = z.literal(true, { error: 'true: the first dimension is the batch' })

/** The parameters of a projection; the bias is missing where the layer has none. */
interface Projection {
  readonly weight: string
  readonly bias: string | null
}

const projection = (site: Site, prefix: string, rows: number, columns: number, bias: boolean): Projection => ({
  weight: site.parameter(`${prefix}weight`, [rows, columns]),
  bias: bias ? site.parameter(`${prefix}bias`, [rows]) : null,
})

/** x · weightᵀ + bias over the last dimension. */
function project(site: Site, value: string, { weight, bias }: Projection): string {
  const product = site.node('MatMul', [value, site.node('Transpose', [weight], { perm: ints([1, 0]) })])
  return bias === null ? product : site.node('Add', [product, bias])
}

interface Attention {
  readonly input: Projection
  readonly output: Projection
}

const attentionParameters = (site: Site, prefix: string, width: number, bias: boolean): Attention => ({
  input: projection(site, `${prefix}in_proj_`, 3 * width, width, bias),
  output: projection(site, `${prefix}out_proj.`, width, width, bias),
})

/** Self-attention of [N, time, width]: softmax(q · kᵀ / √width of a head) · v. Source: torch/nn/functional.py, multi_head_attention_forward. */
function attend(
  site: Site,
  value: string,
  { input, output }: Attention,
  time: number,
  width: number,
  heads: number,
): string {
  const all = project(site, value, input)
  const axis = site.constant('last axis', 'int64', [1], () => [2])
  const split = site.constant('heads', 'int64', [4], () => [0, time, heads, width / heads])
  const headsOf = (part: number, perm: readonly number[]): string => {
    const own = site.node('Slice', [
      all,
      site.constant(`part ${part} start`, 'int64', [1], () => [part * width]),
      site.constant(`part ${part} end`, 'int64', [1], () => [(part + 1) * width]),
      axis,
    ])
    return site.node('Transpose', [site.node('Reshape', [own, split])], { perm: ints(perm) })
  }
  const [q, k, v] = [headsOf(0, [0, 2, 1, 3]), headsOf(1, [0, 2, 3, 1]), headsOf(2, [0, 2, 1, 3])]
  const scale = site.constant('scale', 'float32', [], () => [Math.sqrt(heads / width)])
  const scores = site.node('MatMul', [site.node('Mul', [q, scale]), k])
  const context = site.node('MatMul', [site.node('Softmax', [scores], { axis: int(-1) }), v])
  const joined = site.node('Reshape', [
    site.node('Transpose', [context], { perm: ints([0, 2, 1, 3]) }),
    site.constant('joined heads', 'int64', [3], () => [0, time, width]),
  ])
  return project(site, joined, output)
}

function expectSequence(site: Site, input: Flow, width: number, heads: number, names: string): number {
  expectInput(site, input, [2], `[N, time, ${width}]`)
  const [time, features] = input.shape as [number, number]
  if (features !== width) site.fail(`expects ${width} features, the layer before gives ${features}`)
  if (width % heads !== 0) site.fail(`${names} ${width} is not divisible by its ${heads} heads`)
  return time
}

const multiheadAttention = layer(
  'MultiheadAttention',
  z.strictObject({
    embed_dim: size,
    num_heads: size,
    dropout: number.default(0),
    bias: flag.default(true),
    add_bias_kv: only(false, 'false, the only value that is supported'),
    add_zero_attn: only(false, 'false, the only value that is supported'),
    kdim: only(null, 'null: query, key and value are the same in a list of layers'),
    vdim: only(null, 'null: query, key and value are the same in a list of layers'),
    batch_first: batchFirst,
  }),
  ({ embed_dim: width, num_heads: heads, bias }, input, site) => {
    const time = expectSequence(site, input, width, heads, 'embed_dim')
    const parameters = attentionParameters(site, '', width, bias)
    return { ...input, value: attend(site, input.value, parameters, time, width, heads) }
  },
)

const encoderLayer = layer(
  'TransformerEncoderLayer',
  z.strictObject({
    d_model: size,
    nhead: size,
    dim_feedforward: size.default(2048),
    dropout: number.default(0.1),
    activation: z.enum(['relu', 'gelu'], '"relu" or "gelu"').default('relu'),
    layer_norm_eps: number.default(1e-5),
    batch_first: batchFirst,
    norm_first: flag.default(false),
    bias: flag.default(true),
  }),
  (given, input, site) => {
    const { d_model: width, nhead: heads, dim_feedforward: inner, bias, norm_first } = given
    const time = expectSequence(site, input, width, heads, 'd_model')
    // In the order of torch's state_dict.
    const attention = attentionParameters(site, 'self_attn.', width, bias)
    const linear1 = projection(site, 'linear1.', inner, width, bias)
    const linear2 = projection(site, 'linear2.', width, inner, bias)
    const norms = ['norm1.', 'norm2.'].map((prefix) => [
      site.parameter(`${prefix}weight`, [width]),
      ...(bias ? [site.parameter(`${prefix}bias`, [width])] : []),
    ])
    const normed = (value: string, index: 0 | 1): string =>
      site.node('LayerNormalization', [value, ...norms[index]!], {
        axis: int(-1),
        epsilon: float(given.layer_norm_eps),
      })
    const attended = (value: string): string => attend(site, value, attention, time, width, heads)
    const fed = (value: string): string => {
      const hidden = project(site, value, linear1)
      const active =
        given.activation === 'gelu'
          ? site.node('Gelu', [hidden], { approximate: text('none') })
          : site.node('Relu', [hidden])
      return project(site, active, linear2)
    }
    const add = (a: string, b: string): string => site.node('Add', [a, b])
    if (norm_first) {
      const middle = add(input.value, attended(normed(input.value, 0)))
      return { ...input, value: add(middle, fed(normed(middle, 1))) }
    }
    const middle = normed(add(input.value, attended(input.value)), 0)
    return { ...input, value: normed(add(middle, fed(middle)), 1) }
  },
)

/** Layers of transformers: self-attention, whose masks are none. */
export const ATTENTION: readonly Layer[] = [multiheadAttention, encoderLayer]
