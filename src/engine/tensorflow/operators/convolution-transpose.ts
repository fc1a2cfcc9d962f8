import type { Tf, TfTensor } from '../library.ts'
import { activate } from './activate.ts'
import { foldedBias, normFactor, withHoles } from './convolution.ts'
import type { Compiled, Operator, Site } from './operator.ts'

type Image = Parameters<Tf['conv2dTranspose']>[0]
type Filter = Parameters<Tf['conv2dTranspose']>[1]

const pairOf = (values: readonly number[], one: number): [number, number] =>
  values.length === 1 ? [one, values[0]!] : [values[0]!, values[1]!]

/** Elements that are cut from the beginning of what all windows cover. Source: the ONNX specification of ConvTranspose. */
function begins(site: Site, full: readonly number[], output: readonly number[]): readonly number[] {
  const automatic = site.text('auto_pad') ?? 'NOTSET'
  const pads = site.ints('pads') ?? full.map(() => 0)
  if (automatic === 'VALID') return full.map(() => 0)
  if (automatic === 'NOTSET' && !site.ints('output_shape')) return full.map((_, i) => pads[i]!)
  const extra = site.ints('output_padding') ?? full.map(() => 0)
  return full.map((size, i) => {
    const total = Math.max(0, size + extra[i]! - output[i]!)
    return automatic === 'SAME_UPPER' ? Math.floor(total / 2) : total - Math.floor(total / 2)
  })
}

const convTranspose: Operator = {
  name: 'ConvTranspose',
  compile(site): Compiled {
    const { tf } = site
    const weight = site.shape(1)
    const spatial = weight.length - 2
    if (!site.isBound(1) || (site.has(2) && !site.isBound(2)))
      return site.refuse('its weight or bias is computed while the graph runs')
    if (spatial > 2) return site.refuse(`it has ${spatial} spatial dimensions`)
    const groups = site.int('group') ?? 1
    const strides = site.ints('strides') ?? weight.slice(2).map(() => 1)
    const dilations = site.ints('dilations') ?? weight.slice(2).map(() => 1)
    const [input, output] = [site.shape(0).slice(2), site.outputShape().slice(2)]
    const full = input.map((size, i) => (size - 1) * strides[i]! + (weight[i + 2]! - 1) * dilations[i]! + 1)
    const begin = begins(site, full, output)
    const begin2 = pairOf(begin, 0)
    const full2 = pairOf(full, 1)
    const output2 = pairOf(output, 1)
    const strides2 = pairOf(strides, 1)
    const channels = weight[1]!
    // [in, out / groups, …kernel] as [height, width, out / groups, in]
    const filter = site.bind('filter', (value) => {
      const { norm } = site.epilogue
      const flat = spatial === 1 ? tf.expandDims(value(1), 2) : value(1)
      const factor = norm ? tf.reshape(normFactor(tf, norm, value), [groups, channels]) : undefined
      const parts = tf
        .split(flat, groups, 0)
        .map((part, group) =>
          factor ? tf.mul(part, tf.reshape(tf.slice(factor, [group, 0], [1, channels]), [1, channels, 1, 1])) : part,
        )
      return withHoles(tf, tf.transpose(tf.concat(parts, 0), [2, 3, 1, 0]), dilations)
    })
    const hasBias = site.has(2) || site.epilogue.norm !== undefined
    const bias = hasBias ? site.bind('bias', (value) => foldedBias(site, tf, value)!) : undefined
    const batch = site.shape(0)[0]!
    const compute = (x: TfTensor, kernel: TfTensor, shift: TfTensor | undefined): TfTensor => {
      const image = spatial === 1 ? tf.expandDims(x, 1) : x
      const parts = tf.split(image, groups, 3)
      const kernels = tf.split(kernel, groups, 3)
      const shape: [number, number, number, number] = [batch, ...full2, channels]
      const spread = parts.map((part, i) =>
        tf.conv2dTranspose(part as Image, kernels[i] as Filter, shape, strides2, 'valid'),
      )
      const all: TfTensor = groups > 1 ? tf.concat(spread, 3) : spread[0]!
      const cut = window(tf, all, begin2, output2)
      const shifted = activate(tf, shift ? tf.add(cut, shift) : cut, site.epilogue.activation)
      return spatial === 1 ? tf.squeeze(shifted, [1]) : shifted
    }
    return {
      operands: [site.take(0, 'last'), filter, ...(bias ? [bias] : [])],
      layout: 'last',
      compute: (x, kernel, shift) => compute(x, kernel, shift),
    }
  },
}

/** The part of an image from `begin` on, with zeros past its end where output_padding asks for them. */
function window(tf: Tf, image: TfTensor, begin: readonly number[], size: readonly number[]): TfTensor {
  const beyond = size.map((length, i) => Math.max(0, begin[i]! + length - image.shape[i + 1]!))
  const padded = beyond.some((length) => length > 0)
    ? tf.pad(image, [
        [0, 0],
        [0, beyond[0]!],
        [0, beyond[1]!],
        [0, 0],
      ])
    : image
  if (size.every((length, i) => begin[i] === 0 && length === padded.shape[i + 1]!)) return padded
  return tf.slice(padded, [0, begin[0]!, begin[1]!, 0], [image.shape[0], size[0]!, size[1]!, image.shape[3]!])
}

/** Transposed convolutions. */
export const CONVOLUTION_TRANSPOSE: readonly Operator[] = [convTranspose]
