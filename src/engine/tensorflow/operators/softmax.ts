import { axisIn } from '../layout.ts'
import type { Tf, TfTensor } from '../library.ts'
import type { Operator } from './operator.ts'

/** A function along the last axis, for any axis. */
const along = (name: string, of: (tf: Tf) => (x: TfTensor) => TfTensor): Operator => ({
  name,
  compile(site) {
    const { tf } = site
    const rank = site.shape(0).length
    const layout = site.layout(0)
    const axis = axisIn(layout, site.axis(site.int('axis') ?? -1), rank)
    const apply = of(tf)
    const order = Array.from({ length: rank }, (_, i) => i)
    order[axis] = rank - 1
    order[rank - 1] = axis
    const compute = (x: TfTensor): TfTensor =>
      axis === rank - 1 ? apply(x) : tf.transpose(apply(tf.transpose(x, order)), order)
    return { operands: [site.take(0, layout)], layout, compute: (x) => compute(x) }
  },
})

/** Functions that compare the elements along an axis. */
export const SOFTMAX: readonly Operator[] = [
  along('Softmax', (tf) => (x) => tf.softmax(x)),
  along('LogSoftmax', (tf) => (x) => tf.logSoftmax(x)),
  along('Hardmax', (tf) => (x) => tf.cast(tf.oneHot(tf.argMax(x, -1), x.shape.at(-1)!), 'float32')),
]
