import type { Rank } from '@tensorflow/tfjs-node-gpu'
import type { Norm } from '../epilogue.ts'
import type { Tf, TfTensor } from '../library.ts'
import { activate } from './activate.ts'
import type { Compiled, Operator, Site } from './operator.ts'
import { isPadded, paddings, windowOf, type Window } from './window.ts'

type T4 = Parameters<Tf['conv2d']>[0]
type Filter = Parameters<Tf['conv2d']>[1]

/** scale / √(variance + ε) of each channel: what batch normalization multiplies by. */
export const normFactor = (tf: Tf, norm: Norm, value: (name: string) => TfTensor): TfTensor =>
  tf.div(value(norm.scale), tf.sqrt(tf.add(value(norm.variance), norm.epsilon)))

/** The bias with the batch normalization that follows; undefined when there is neither. */
export function foldedBias(site: Site, tf: Tf, value: (name: number | string) => TfTensor): TfTensor | undefined {
  const { norm } = site.epilogue
  const bias = site.has(2) ? value(2) : undefined
  if (!norm) return bias
  const centred = bias ? tf.sub(bias, value(norm.mean)) : tf.neg(value(norm.mean))
  return tf.add(tf.mul(centred, normFactor(tf, norm, value)), value(norm.shift))
}

const hasBias = (site: Site): boolean => site.has(2) || site.epilogue.norm !== undefined

/** The weight [out, in / groups, …kernel] as [height, width, in / groups, out], times the factor of a batch normalization. */
function filterOf(site: Site, window: Window, spread: boolean): ReturnType<Site['bind']> {
  const { tf } = site
  return site.bind(spread ? 'spread filter' : 'filter', (value) => {
    const weight = value(1)
    const { norm } = site.epilogue
    const channels = weight.shape[0]
    const scaled = norm
      ? tf.mul(weight, tf.reshape(normFactor(tf, norm, value), [channels, ...weight.shape.slice(1).map(() => 1)]))
      : weight
    const flat = weight.rank === 3 ? tf.expandDims(scaled, 2) : scaled
    const filter = tf.transpose(flat, [2, 3, 1, 0])
    return spread ? withHoles(tf, filter, window.dilations) : filter
  })
}

/** A kernel with zeros between its elements: what dilation means. */
export function withHoles(tf: Tf, filter: TfTensor, dilations: readonly number[]): TfTensor {
  let result = filter
  for (const [axis, dilation] of [dilations.at(-2) ?? 1, dilations.at(-1)!].entries()) {
    const size = result.shape[axis]!
    if (dilation === 1 || size === 1) continue
    const apart = tf.expandDims(result, axis + 1)
    const wide = tf.pad(
      apart,
      apart.shape.map((_, i): [number, number] => (i === axis + 1 ? [0, dilation - 1] : [0, 0])),
    )
    const joined = tf.reshape(wide, [...result.shape.slice(0, axis), size * dilation, ...result.shape.slice(axis + 1)])
    const kept = [...joined.shape]
    kept[axis] = (size - 1) * dilation + 1
    result = tf.slice(
      joined,
      kept.map(() => 0),
      kept,
    )
  }
  return result
}

const conv: Operator = {
  name: 'Conv',
  compile(site) {
    const weightShape = site.shape(1)
    const spatial = weightShape.length - 2
    if (!site.isBound(1) || (site.has(2) && !site.isBound(2)))
      return site.refuse('its weight or bias is computed while the graph runs')
    if (spatial === 3) return conv3d(site)
    if (spatial !== 1 && spatial !== 2) return site.refuse(`it has ${spatial} spatial dimensions`)
    return conv2d(site, windowOf(site, weightShape.slice(2)))
  },
}

/** One dimension is two, the first of size 1. */
const pairOf = <T>(values: readonly T[], one: T): [T, T] =>
  values.length === 1 ? [one, values[0]!] : [values[0]!, values[1]!]

function conv2d(site: Site, window: Window): Compiled {
  const { tf } = site
  const [outputs, inputs] = site.shape(1) as [number, number]
  const groups = site.int('group') ?? 1
  const strides = pairOf(window.strides, 1)
  const depthwise = groups > 1 && inputs === 1
  const uneven = depthwise && strides[0] !== strides[1]
  // TensorFlow convolves with strides or with dilations, not with both; and channel by channel with neither dilation nor
  // different strides.
  const dilated = window.dilations.some((dilation) => dilation > 1)
  const spread = dilated && (depthwise || window.strides.some((stride) => stride > 1))
  const dilations = spread ? ([1, 1] as [number, number]) : pairOf(window.dilations, 1)
  const filter = filterOf(site, window, spread)
  const bias = hasBias(site) ? site.bind('bias', (value) => foldedBias(site, tf, value)!) : undefined
  const pads = pairOf<readonly [number, number]>(window.pads, [0, 0])
  const pad = isPadded(pads)
    ? (paddings(pads) as [[number, number], [number, number], [number, number], [number, number]])
    : 'valid'
  const pointwise = window.kernel.every((size) => size === 1) && pad === 'valid'
  const convolve = (x: TfTensor, kernel: TfTensor): TfTensor =>
    pointwise ? product(tf, x, kernel, strides) : tf.conv2d(x as T4, kernel as Filter, strides, pad, 'NHWC', dilations)
  const multiplier = outputs / groups
  const byChannel = (x: TfTensor, kernel: TfTensor): TfTensor => {
    const step = uneven ? ([1, 1] as [number, number]) : strides
    const all = tf.depthwiseConv2d(x as T4, kernel as Filter, step, pad, 'NHWC', [1, 1])
    if (!uneven) return all
    return tf.stridedSlice(all, [0, 0, 0, 0], all.shape, [1, ...strides, 1])
  }
  const inGroups = (x: TfTensor, kernel: TfTensor): TfTensor => {
    const parts = tf.split(x, groups, 3)
    const kernels = tf.split(kernel, groups, 3)
    return tf.concat(
      parts.map((part, i) => convolve(part, kernels[i]!)),
      3,
    )
  }
  const shaped = depthwise
    ? site.bind(`${spread ? 'spread ' : ''}depthwise filter`, () =>
        depthwiseFilter(tf, bound(filter), groups, multiplier),
      )
    : filter
  const one = window.kernel.length === 1
  const compute = (x: TfTensor, kernel: TfTensor, shift: TfTensor | undefined): TfTensor => {
    const image = one ? tf.expandDims(x, 1) : x
    const filtered = depthwise
      ? byChannel(image, kernel)
      : groups > 1
        ? inGroups(image, kernel)
        : convolve(image, kernel)
    const shifted = activate(tf, shift ? tf.add(filtered, shift) : filtered, site.epilogue.activation)
    return one ? tf.squeeze(shifted, [1]) : shifted
  }
  return {
    operands: [site.take(0, 'last'), shaped, ...(bias ? [bias] : [])],
    layout: 'last',
    compute: (x, kernel, shift) => compute(x, kernel, shift),
  }
}

/**
 * A convolution whose kernel has one element: a product of matrices, which is faster; and with oneDNN, TensorFlow 2.21 ends the whole process
 * (SIGFPE) at `tf.conv2d` with such a kernel and 512 or more channels on some processors.
 */
function product(tf: Tf, x: TfTensor, kernel: TfTensor, strides: readonly [number, number]): TfTensor {
  const [, , inputs, outputs] = kernel.shape as [number, number, number, number]
  const picked = strides.some((stride) => stride > 1)
    ? tf.stridedSlice(x, [0, 0, 0, 0], x.shape, [1, ...strides, 1])
    : x
  const [n, height, width] = picked.shape as [number, number, number, number]
  const rows = tf.reshape<Rank.R2>(picked, [n * height * width, inputs])
  return tf.reshape(tf.matMul(rows, tf.reshape<Rank.R2>(kernel, [inputs, outputs])), [n, height, width, outputs])
}

const bound = (operand: ReturnType<Site['bind']>): TfTensor => (operand as { readonly tensor: TfTensor }).tensor

/** [height, width, 1, groups · multiplier] as [height, width, groups, multiplier]. */
const depthwiseFilter = (tf: Tf, filter: TfTensor, groups: number, multiplier: number): TfTensor =>
  tf.reshape(filter, [filter.shape[0], filter.shape[1]!, groups, multiplier])

function conv3d(site: Site): Compiled {
  const { tf } = site
  const window = windowOf(site, site.shape(1).slice(2))
  const groups = site.int('group') ?? 1
  if (window.dilations.some((dilation) => dilation > 1)) return site.refuse('three dimensions with dilation')
  const filter = site.bind('filter', (value) => {
    const { norm } = site.epilogue
    const weight = value(1)
    const scaled = norm ? tf.mul(weight, tf.reshape(normFactor(tf, norm, value), [-1, 1, 1, 1, 1])) : weight
    return tf.transpose(scaled, [2, 3, 4, 1, 0])
  })
  const bias = hasBias(site) ? site.bind('bias', (value) => foldedBias(site, tf, value)!) : undefined
  const strides = [...window.strides] as [number, number, number]
  type T5 = Parameters<Tf['conv3d']>[0]
  type Filter5 = Parameters<Tf['conv3d']>[1]
  return {
    operands: [site.take(0, 'last'), filter, ...(bias ? [bias] : [])],
    layout: 'last',
    compute(x, kernel, shift?: TfTensor) {
      const padded = isPadded(window.pads) ? tf.pad(x, paddings(window.pads)) : x
      const parts = tf.split(padded, groups, 4)
      const kernels = tf.split(kernel, groups, 4)
      const convolved = parts.map((part, i) => tf.conv3d(part as T5, kernels[i] as Filter5, strides, 'valid'))
      const all = groups > 1 ? tf.concat(convolved, 4) : convolved[0]!
      return activate(tf, shift ? tf.add(all, shift) : all, site.epilogue.activation)
    },
  }
}

/** Convolutions. */
export const CONVOLUTION: readonly Operator[] = [conv]
