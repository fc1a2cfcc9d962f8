import { raised } from '../site.ts'
import { unary } from './elementwise.ts'
import type { Operator } from './operator.ts'

/** The elements stay in order; the shape is the one that is inferred. */
const reshaped = (name: string): Operator => ({
  name,
  compile(site) {
    const { tf } = site
    const shape = [...site.outputShape()]
    return { operands: [site.take(0)], compute: (x) => tf.reshape(x, shape) }
  },
})

const transpose: Operator = {
  name: 'Transpose',
  compile(site) {
    const { tf } = site
    const rank = site.shape(0).length
    const order = [...(site.ints('perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i))]
    // What puts the channels at the end is already so.
    if (site.layout(0) === 'last' && rank >= 3) {
      const toLast = [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1]
      if (order.join() === toLast.join()) return { operands: [site.take(0, 'last')], compute: (x) => x }
    }
    return { operands: [site.take(0)], compute: (x) => tf.transpose(x, order) }
  },
}

const expand: Operator = {
  name: 'Expand',
  compile(site) {
    const { tf } = site
    const shape = [...site.outputShape()]
    return {
      operands: [site.take(0)],
      compute(x) {
        const fitting = raised(tf, x, shape.length)
        if (fitting.dtype !== 'bool') return tf.broadcastTo(fitting, shape)
        return tf.cast(tf.broadcastTo(tf.cast(fitting, 'int32'), shape), 'bool')
      },
    }
  },
}

const tile: Operator = {
  name: 'Tile',
  compile(site) {
    const { tf } = site
    const repeats = site.outputShape().map((size, axis) => {
      const from = site.shape(0)[axis]!
      return from === 0 ? 1 : size / from
    })
    return { operands: [site.take(0)], compute: (x) => tf.tile(x, repeats) }
  },
}

/** In evaluation mode dropout is the identity, and drops nothing. */
const dropout: Operator = {
  name: 'Dropout',
  compile(site) {
    const { tf } = site
    const layout = site.layout(0)
    return {
      operands: [site.take(0, layout)],
      layout,
      compute: (x) => (site.outputCount > 1 ? [x, tf.cast(tf.onesLike(x), 'bool')] : x),
    }
  },
}

/** Operators that keep the elements and change how they are arranged. */
export const ARRANGEMENT: readonly Operator[] = [
  reshaped('Reshape'),
  reshaped('Flatten'),
  reshaped('Squeeze'),
  reshaped('Unsqueeze'),
  transpose,
  expand,
  tile,
  unary('Identity', () => (x) => x),
  dropout,
]
