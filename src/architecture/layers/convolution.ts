import { z } from 'zod'
import { count, flag, only, size, tuple } from './arguments.ts'
import { batchText, expectChannels, int, ints, layer, type Layer, type Site } from './layer.ts'

const convolution = (type: string, dimensions: 1 | 2): Layer =>
  layer(
    type,
    z.strictObject({
      in_channels: size,
      out_channels: size,
      kernel_size: tuple(dimensions),
      stride: tuple(dimensions).default(new Array<number>(dimensions).fill(1)),
      padding: z
        .union([tuple(dimensions, count), z.enum(['same', 'valid'])], {
          error: `a whole number from 0, a list of ${dimensions}, "same" or "valid"`,
        })
        .default(new Array<number>(dimensions).fill(0)),
      dilation: tuple(dimensions).default(new Array<number>(dimensions).fill(1)),
      groups: size.default(1),
      bias: flag.default(true),
      padding_mode: only('zeros', '"zeros", the only padding mode that is supported'),
    }),
    (given, input, site) => {
      const { in_channels, out_channels, kernel_size: kernel, stride, dilation, groups } = given
      const names = `[N, ${in_channels}, ${dimensions === 1 ? 'length' : 'height, width'}]`
      expectChannels(site, input, [dimensions + 1], names, in_channels)
      const spatial = input.shape.slice(1)
      if (in_channels % groups !== 0) site.fail(`in_channels ${in_channels} is not divisible by groups ${groups}`)
      if (out_channels % groups !== 0) site.fail(`out_channels ${out_channels} is not divisible by groups ${groups}`)
      const [before, after] = padsOf(given.padding, kernel, stride, dilation, site)
      const sizes = spatial.map((length, i) => {
        const extent = dilation[i]! * (kernel[i]! - 1) + 1
        const room = length + before[i]! + after[i]! - extent
        if (room < 0)
          site.fail(
            `its kernel covers ${extent} positions, the layer before gives ${batchText(input.shape)}; add padding`,
          )
        return Math.floor(room / stride[i]!) + 1
      })
      const weight = site.parameter('weight', [out_channels, in_channels / groups, ...kernel])
      const biases = given.bias ? [site.parameter('bias', [out_channels])] : []
      const value = site.node('Conv', [input.value, weight, ...biases], {
        dilations: ints(dilation),
        group: int(groups),
        kernel_shape: ints(kernel),
        pads: ints([...before, ...after]),
        strides: ints(stride),
      })
      return { ...input, value, shape: [out_channels, ...sizes] }
    },
  )

/** Padding before and after each spatial dimension. Source: torch/nn/modules/conv.py, `_reversed_padding_repeated_twice`. */
function padsOf(
  padding: readonly number[] | 'same' | 'valid',
  kernel: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
  site: Site,
): readonly [readonly number[], readonly number[]] {
  if (padding === 'valid') return [kernel.map(() => 0), kernel.map(() => 0)]
  if (padding !== 'same') return [padding, padding]
  if (stride.some((step) => step !== 1)) site.fail('padding "same" is not supported for strided convolutions')
  const total = kernel.map((length, i) => dilation[i]! * (length - 1))
  const before = total.map((pads) => Math.floor(pads / 2))
  return [before, total.map((pads, i) => pads - before[i]!)]
}

/** Convolutions. */
export const CONVOLUTION: readonly Layer[] = [convolution('Conv1d', 1), convolution('Conv2d', 2)]
