import { z } from 'zod'
import { flag, number, only, size } from './arguments.ts'
import { batchText, expectChannels, float, int, layer, type Layer, type Site } from './layer.ts'

const filled = (length: number, value: number) => (): ArrayLike<number> => new Float32Array(length).fill(value)

const batchNorm = (type: string, ranks: readonly number[], names: string): Layer =>
  layer(
    type,
    z.strictObject({
      num_features: size,
      eps: number.default(1e-5),
      momentum: number.nullable().default(0.1),
      affine: flag.default(true),
      track_running_stats: only(
        true,
        'true: without running statistics, results would depend on how samples are put into batches',
      ),
    }),
    ({ num_features: channels, eps, affine }, input, site) => {
      expectChannels(site, input, ranks, names, channels)
      const [weight, bias] = scaleAndShift(site, affine, [channels])
      const mean = site.parameter('running_mean', [channels])
      const variance = site.parameter('running_var', [channels])
      site.counter('num_batches_tracked')
      const value = site.node('BatchNormalization', [input.value, weight, bias, mean, variance], {
        epsilon: float(eps),
      })
      return { ...input, value }
    },
  )

/** Weight and bias of a layer, or the ones and zeros that stand for them. */
function scaleAndShift(site: Site, affine: boolean, shape: readonly number[]): readonly [string, string] {
  if (affine) return [site.parameter('weight', shape), site.parameter('bias', shape)]
  const elements = shape.reduce((product, length) => product * length, 1)
  return [
    site.constant('ones', 'float32', shape, filled(elements, 1)),
    site.constant('zeros', 'float32', shape, filled(elements, 0)),
  ]
}

const layerNorm = layer(
  'LayerNorm',
  z.strictObject({
    normalized_shape: z
      .union([size, z.array(size).min(1).max(8)], { error: 'a positive whole number or a list of them' })
      .transform((value): readonly number[] => (Array.isArray(value) ? value : [value])),
    eps: number.default(1e-5),
    elementwise_affine: flag.default(true),
    bias: flag.default(true),
  }),
  ({ normalized_shape: shape, eps, elementwise_affine, bias }, input, site) => {
    if (input.dtype !== 'float32') site.fail(`expects float32, the layer before gives ${input.dtype}`)
    if (input.shape.slice(-shape.length).join() !== shape.join())
      site.fail(`expects [N, …, ${shape.join(', ')}], the layer before gives ${batchText(input.shape)}`)
    const elements = shape.reduce((product, length) => product * length, 1)
    const inputs = elementwise_affine
      ? [site.parameter('weight', shape), ...(bias ? [site.parameter('bias', shape)] : [])]
      : [site.constant('ones', 'float32', shape, filled(elements, 1))]
    const attributes = { axis: int(-shape.length), epsilon: float(eps) }
    return { ...input, value: site.node('LayerNormalization', [input.value, ...inputs], attributes) }
  },
)

/** Normalization by groups of channels, as the exporter writes it: instance normalization of the groups, then scale and shift. */
const groupNorm = layer(
  'GroupNorm',
  z.strictObject({
    num_groups: size,
    num_channels: size,
    eps: number.default(1e-5),
    affine: flag.default(true),
  }),
  ({ num_groups: groups, num_channels: channels, eps, affine }, input, site) => {
    expectChannels(site, input, [1, 2, 3, 4], `[N, ${channels}, …]`, channels)
    if (channels % groups !== 0) site.fail(`num_channels ${channels} is not divisible by num_groups ${groups}`)
    const grouped = site.node('Reshape', [input.value, site.constant('groups', 'int64', [3], () => [0, groups, -1])])
    const ones = site.constant('ones', 'float32', [groups], filled(groups, 1))
    const zeros = site.constant('zeros', 'float32', [groups], filled(groups, 0))
    const normal = site.node('InstanceNormalization', [grouped, ones, zeros], { epsilon: float(eps) })
    const shape = site.constant('shape', 'int64', [input.shape.length + 1], () => [0, ...input.shape])
    const value = site.node('Reshape', [normal, shape])
    if (!affine) return { ...input, value }
    const [weight, bias] = [site.parameter('weight', [channels]), site.parameter('bias', [channels])]
    return { ...input, value: scaledChannels(site, value, weight, bias, input.shape.length - 1) }
  },
)

function scaledChannels(site: Site, value: string, weight: string, bias: string, after: number): string {
  if (after === 0) return site.node('Add', [site.node('Mul', [value, weight]), bias])
  const axes = site.constant('axes', 'int64', [after], () => Array.from({ length: after }, (_, i) => i + 1))
  const [scale, shift] = [site.node('Unsqueeze', [weight, axes]), site.node('Unsqueeze', [bias, axes])]
  return site.node('Add', [site.node('Mul', [value, scale]), shift])
}

/** Each channel of each sample by itself; with running statistics it is a batch normalization at evaluation, as in torch. */
const instanceNorm = (type: string, rank: number, names: string): Layer =>
  layer(
    type,
    z.strictObject({
      num_features: size,
      eps: number.default(1e-5),
      momentum: number.nullable().default(0.1),
      affine: flag.default(false),
      track_running_stats: flag.default(false),
    }),
    ({ num_features: channels, eps, affine, track_running_stats }, input, site) => {
      expectChannels(site, input, [rank], names, channels)
      const [weight, bias] = scaleAndShift(site, affine, [channels])
      const epsilon = float(eps)
      if (track_running_stats) {
        const mean = site.parameter('running_mean', [channels])
        const variance = site.parameter('running_var', [channels])
        site.counter('num_batches_tracked')
        return {
          ...input,
          value: site.node('BatchNormalization', [input.value, weight, bias, mean, variance], { epsilon }),
        }
      }
      if (input.shape.slice(1).every((length) => length === 1))
        site.fail(`expects more than one element for each channel, the layer before gives ${batchText(input.shape)}`)
      return { ...input, value: site.node('InstanceNormalization', [input.value, weight, bias], { epsilon }) }
    },
  )

/** Normalizations. */
export const NORMALIZATION: readonly Layer[] = [
  batchNorm('BatchNorm1d', [1, 2], '[N, channels] or [N, channels, length]'),
  batchNorm('BatchNorm2d', [3], '[N, channels, height, width]'),
  instanceNorm('InstanceNorm1d', 2, '[N, channels, length]'),
  instanceNorm('InstanceNorm2d', 3, '[N, channels, height, width]'),
  layerNorm,
  groupNorm,
]
