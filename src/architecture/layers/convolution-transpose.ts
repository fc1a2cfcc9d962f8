import { z } from 'zod'
import { count, flag, only, size, tuple } from './arguments.ts'
import { batchText, expectChannels, int, ints, layer, type Layer } from './layer.ts'

const convolutionTranspose = layer(
  'ConvTranspose2d',
  z.strictObject({
    in_channels: size,
    out_channels: size,
    kernel_size: tuple(2),
    stride: tuple(2).default([1, 1]),
    padding: tuple(2, count).default([0, 0]),
    output_padding: tuple(2, count).default([0, 0]),
    groups: size.default(1),
    bias: flag.default(true),
    dilation: tuple(2).default([1, 1]),
    padding_mode: only('zeros', '"zeros", the only padding mode that is supported'),
  }),
  (given, input, site) => {
    const { in_channels, out_channels, kernel_size: kernel, stride, padding, output_padding, groups, dilation } = given
    expectChannels(site, input, [3], `[N, ${in_channels}, height, width]`, in_channels)
    const spatial = input.shape.slice(1)
    if (in_channels % groups !== 0) site.fail(`in_channels ${in_channels} is not divisible by groups ${groups}`)
    if (out_channels % groups !== 0) site.fail(`out_channels ${out_channels} is not divisible by groups ${groups}`)
    const sizes = spatial.map((length, i) => {
      if (output_padding[i]! >= Math.max(stride[i]!, dilation[i]!))
        site.fail(`output_padding ${output_padding[i]!} has to be smaller than stride or dilation`)
      // Source: the documentation of torch.nn.ConvTranspose2d.
      const made =
        (length - 1) * stride[i]! - 2 * padding[i]! + dilation[i]! * (kernel[i]! - 1) + output_padding[i]! + 1
      if (made < 1) site.fail(`its padding leaves nothing of ${batchText(input.shape)}`)
      return made
    })
    const weight = site.parameter('weight', [in_channels, out_channels / groups, ...kernel])
    const biases = given.bias ? [site.parameter('bias', [out_channels])] : []
    const value = site.node('ConvTranspose', [input.value, weight, ...biases], {
      dilations: ints(dilation),
      group: int(groups),
      kernel_shape: ints(kernel),
      output_padding: ints(output_padding),
      pads: ints([...padding, ...padding]),
      strides: ints(stride),
    })
    return { ...input, value, shape: [out_channels, ...sizes] }
  },
)

/** Transposed convolutions. */
export const CONVOLUTION_TRANSPOSE: readonly Layer[] = [convolutionTranspose]
