import { inLayout } from '../layout.ts'
import type { Tf, TfTensor } from '../library.ts'
import type { Compiled, Operand, Operator, Site } from './operator.ts'

type Image = Parameters<Tf['batchNorm4d']>[0]
type Channels = Parameters<Tf['batchNorm4d']>[1]

/** Numbers of each channel, shaped to be multiplied with a value in a layout. */
const perChannel = (tf: Tf, vector: TfTensor, layout: 'first' | 'last', rank: number): TfTensor =>
  tf.reshape(
    vector,
    inLayout(
      layout,
      Array.from({ length: rank }, (_, axis) => (axis === 1 ? vector.size : 1)),
    ),
  )

const batchNormalization: Operator = {
  name: 'BatchNormalization',
  compile(site): Compiled {
    const { tf } = site
    if (site.outputCount > 1 || site.int('training_mode') === 1)
      return site.refuse('it would normalize with the statistics of the batch')
    if (![1, 2, 3, 4].every((input) => site.isBound(input)))
      return site.refuse('its statistics are computed while the graph runs')
    const rank = site.shape(0).length
    const epsilon = site.float('epsilon', 1e-5)
    const layout = site.layout(0)
    if (rank === 4 && layout === 'last') {
      const vectors = [1, 2, 3, 4].map((input) => site.take(input))
      return {
        operands: [site.take(0, 'last'), ...vectors],
        layout,
        compute: (x, scale, shift, mean, variance) =>
          tf.batchNorm4d(
            x as Image,
            mean as Channels,
            variance as Channels,
            shift as Channels,
            scale as Channels,
            epsilon,
          ),
      }
    }
    const factor = (value: (input: number) => TfTensor) => tf.div(value(1), tf.sqrt(tf.add(value(4), epsilon)))
    const scale = site.bind(`factor ${layout}`, (value) => perChannel(tf, factor(value), layout, rank))
    const shift = site.bind(`shift ${layout}`, (value) =>
      perChannel(tf, tf.sub(value(2), tf.mul(value(3), factor(value))), layout, rank),
    )
    return {
      operands: [site.take(0, layout), scale, shift],
      layout,
      compute: (x, by, to) => tf.add(tf.mul(x, by), to),
    }
  },
}

/** (x − mean) / √(variance + ε) over axes. */
export function standardized(tf: Tf, x: TfTensor, axes: number[], epsilon: number): TfTensor {
  const centred = tf.sub(x, tf.mean(x, axes, true))
  const variance = tf.mean(tf.square(centred), axes, true)
  return tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon)))
}

const instanceNormalization: Operator = {
  name: 'InstanceNormalization',
  compile(site): Compiled {
    const { tf } = site
    const rank = site.shape(0).length
    const layout = site.layout(0)
    const epsilon = site.float('epsilon', 1e-5)
    const axes = Array.from({ length: rank - 2 }, (_, i) => (layout === 'last' ? i + 1 : i + 2))
    const vector = (input: number): Operand =>
      site.isBound(input)
        ? site.bind(`${input} ${layout}`, (value) => perChannel(tf, value(input), layout, rank))
        : site.refuse('its scale and bias are computed while the graph runs')
    return {
      operands: [site.take(0, layout), vector(1), vector(2)],
      layout,
      compute: (x, scale, shift) => tf.add(tf.mul(standardized(tf, x, axes, epsilon), scale), shift),
    }
  },
}

const groupNormalization: Operator = {
  name: 'GroupNormalization',
  compile(site): Compiled {
    const { tf } = site
    const shape = site.shape(0)
    const groups = site.int('num_groups')!
    const epsilon = site.float('epsilon', 1e-5)
    const grouped = [shape[0]!, groups, shape.slice(1).reduce((product, size) => product * size, 1) / groups]
    // Before operator set 21, scale and bias have one number for each group.
    const byGroup = site.opset < 21
    return {
      operands: [site.take(0), site.take(1), site.take(2)],
      compute(x, scale, shift) {
        const normal = standardized(tf, tf.reshape(x, grouped), [2], epsilon)
        if (byGroup) {
          const [by, to] = [tf.reshape(scale, [1, groups, 1]), tf.reshape(shift, [1, groups, 1])]
          return tf.reshape(tf.add(tf.mul(normal, by), to), [...shape])
        }
        const whole = tf.reshape(normal, [...shape])
        return tf.add(
          tf.mul(whole, perChannel(tf, scale, 'first', shape.length)),
          perChannel(tf, shift, 'first', shape.length),
        )
      },
    }
  },
}

/** The axes from `axis` on. */
const trailing = (site: Site): number[] => {
  const rank = site.shape(0).length
  const axis = site.axis(site.int('axis') ?? -1)
  return Array.from({ length: rank - axis }, (_, i) => axis + i)
}

const layerNormalization: Operator = {
  name: 'LayerNormalization',
  compile(site): Compiled {
    const { tf } = site
    if (site.outputCount > 1) return site.refuse('its statistics are not given')
    const epsilon = site.float('epsilon', 1e-5)
    const axes = trailing(site)
    return {
      operands: [site.take(0), site.take(1), ...(site.has(2) ? [site.take(2)] : [])],
      compute(x, scale, shift?: TfTensor) {
        const scaled = tf.mul(standardized(tf, x, axes, epsilon), scale)
        return shift ? tf.add(scaled, shift) : scaled
      },
    }
  },
}

const rmsNormalization: Operator = {
  name: 'RMSNormalization',
  compile(site): Compiled {
    const { tf } = site
    const epsilon = site.float('epsilon', 1e-5)
    const axes = trailing(site)
    return {
      operands: [site.take(0), site.take(1)],
      compute: (x, scale) => tf.mul(tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), axes, true), epsilon))), scale),
    }
  },
}

const lpNormalization: Operator = {
  name: 'LpNormalization',
  compile(site): Compiled {
    const { tf } = site
    const axis = site.axis(site.int('axis') ?? -1)
    const one = site.int('p') === 1
    return {
      operands: [site.take(0)],
      compute(x) {
        const length = one ? tf.sum(tf.abs(x), axis, true) : tf.sqrt(tf.sum(tf.square(x), axis, true))
        return tf.div(x, length)
      },
    }
  },
}

/** x / (bias + α/size · Σ x²)^β over neighbouring channels. Source: the ONNX specification of LRN. */
const localResponse: Operator = {
  name: 'LRN',
  compile(site): Compiled {
    const { tf } = site
    const size = site.int('size')!
    const [alpha, beta, bias] = [site.float('alpha', 1e-4), site.float('beta', 0.75), site.float('bias', 1)]
    const before = Math.floor((size - 1) / 2)
    const rank = site.shape(0).length
    const channels = site.shape(0)[1]!
    const padding = Array.from({ length: rank }, (_, axis): [number, number] =>
      axis === rank - 1 ? [before, size - 1 - before] : [0, 0],
    )
    return {
      operands: [site.take(0, 'last')],
      layout: rank >= 3 ? 'last' : 'first',
      compute(x) {
        const squares = tf.pad(tf.square(x), padding)
        const sizes = [...x.shape.slice(0, -1), channels]
        const sums = Array.from({ length: size }, (_, i) =>
          tf.slice(
            squares,
            sizes.map((_, axis) => (axis === rank - 1 ? i : 0)),
            sizes,
          ),
        ).reduce((a, b) => tf.add(a, b))
        return tf.div(x, tf.pow(tf.add(tf.mul(sums, alpha / size), bias), beta))
      },
    }
  },
}

const meanVariance: Operator = {
  name: 'MeanVarianceNormalization',
  compile(site): Compiled {
    const axes = (site.ints('axes') ?? [0, 2, 3]).map((axis) => site.axis(axis))
    if (axes.includes(0)) return site.refuse('it would normalize over the batch')
    return { operands: [site.take(0)], compute: (x) => standardized(site.tf, x, axes, 1e-9) }
  },
}

/** Normalizations. */
export const NORMALIZATION: readonly Operator[] = [
  batchNormalization,
  instanceNormalization,
  groupNormalization,
  layerNormalization,
  rmsNormalization,
  lpNormalization,
  localResponse,
  meanVariance,
]
