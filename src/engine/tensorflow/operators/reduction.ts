import { axisIn, type Layout } from '../layout.ts'
import type { Tf, TfTensor } from '../library.ts'
import { isWhole } from './elementwise.ts'
import type { Compiled, Operator, Site } from './operator.ts'

type Reduce = (x: TfTensor, axes: number[], keep: boolean) => TfTensor

const reduction = (name: string, of: (tf: Tf, site: Site) => Reduce): Operator => ({
  name,
  compile(site): Compiled {
    const rank = site.shape(0).length
    const given = (site.ints('axes') ?? site.known(1))?.map((axis) => site.axis(axis))
    if ((given === undefined || given.length === 0) && site.int('noop_with_empty_axes') === 1)
      return { operands: [site.take(0)], compute: (x) => x }
    const axes = given?.length ? [...given] : Array.from({ length: rank }, (_, axis) => axis)
    const keep = site.int('keepdims') !== 0
    const layout = reducedLayout(site, axes, keep)
    const reduce = of(site.tf, site)
    return {
      operands: [site.take(0, layout.input)],
      layout: layout.output,
      compute: (x) =>
        reduce(
          x,
          axes.map((axis) => axisIn(layout.input, axis, rank)),
          keep,
        ),
    }
  },
})

/** Channels stay at the end where they are kept, or where the dimensions that are left are in the order of the graph. */
function reducedLayout(site: Site, axes: readonly number[], keep: boolean): { input: Layout; output: Layout } {
  const layout = site.layout(0)
  const rank = site.shape(0).length
  if (layout === 'first') return { input: 'first', output: 'first' }
  if (keep) return { input: 'last', output: 'last' }
  const positions = Array.from({ length: rank }, (_, axis) => axis)
    .filter((axis) => !axes.includes(axis))
    .map((axis) => axisIn('last', axis, rank))
  const inOrder = positions.every((position, i) => i === 0 || position > positions[i - 1]!)
  return { input: inOrder ? 'last' : 'first', output: 'first' }
}

const extreme = (name: string, of: (tf: Tf) => (x: TfTensor, axis: number) => TfTensor): Operator => ({
  name,
  compile(site): Compiled {
    const { tf } = site
    const axis = site.axis(site.int('axis') ?? 0)
    const size = site.shape(0)[axis]!
    const keep = site.int('keepdims') !== 0
    const lastOne = site.int('select_last_index') === 1
    const find = of(tf)
    return {
      operands: [site.take(0)],
      compute(x) {
        const at = lastOne ? tf.sub(tf.scalar(size - 1, 'int32'), find(tf.reverse(x, axis), axis)) : find(x, axis)
        return keep ? tf.expandDims(at, axis) : at
      },
    }
  },
})

const topK: Operator = {
  name: 'TopK',
  compile(site): Compiled {
    const { tf } = site
    const rank = site.shape(0).length
    const axis = site.axis(site.int('axis') ?? -1)
    const count = site.outputShape()[axis]!
    const smallest = site.int('largest') === 0
    const order = Array.from({ length: rank }, (_, i) => i)
    order[axis] = rank - 1
    order[rank - 1] = axis
    const turned = (x: TfTensor): TfTensor => (axis === rank - 1 ? x : tf.transpose(x, order))
    return {
      operands: [site.take(0)],
      compute(x) {
        const along = turned(x)
        const { values, indices } = tf.topk(smallest ? tf.neg(along) : along, count, site.int('sorted') !== 0)
        return [turned(smallest ? tf.neg(values) : values), turned(indices)]
      },
    }
  },
}

const cumSum: Operator = {
  name: 'CumSum',
  compile(site): Compiled {
    const axis = site.axis(site.known(1)![0]!)
    const [exclusive, reverse] = [site.int('exclusive') === 1, site.int('reverse') === 1]
    return { operands: [site.take(0)], compute: (x) => site.tf.cumsum(x, axis, exclusive, reverse) }
  },
}

/** Whole numbers are averaged towards zero. */
const mean = (tf: Tf, site: Site): Reduce =>
  isWhole(site)
    ? (x, axes, keep) => tf.cast(tf.mean(tf.cast(x, 'float32'), axes, keep), 'int32')
    : (x, axes, keep) => tf.mean(x, axes, keep)

/** Reductions along axes. */
export const REDUCTION: readonly Operator[] = [
  reduction('ReduceSum', (tf) => (x, axes, keep) => tf.sum(x, axes, keep)),
  reduction('ReduceProd', (tf) => (x, axes, keep) => tf.prod(x, axes, keep)),
  reduction('ReduceMax', (tf) => (x, axes, keep) => tf.max(x, axes, keep)),
  reduction('ReduceMin', (tf) => (x, axes, keep) => tf.min(x, axes, keep)),
  reduction('ReduceMean', mean),
  reduction('ReduceL1', (tf) => (x, axes, keep) => tf.sum(tf.abs(x), axes, keep)),
  reduction('ReduceL2', (tf) => (x, axes, keep) => tf.sqrt(tf.sum(tf.square(x), axes, keep))),
  reduction('ReduceLogSum', (tf) => (x, axes, keep) => tf.log(tf.sum(x, axes, keep))),
  reduction('ReduceLogSumExp', (tf) => (x, axes, keep) => tf.logSumExp(x, axes, keep)),
  reduction('ReduceSumSquare', (tf) => (x, axes, keep) => tf.sum(tf.square(x), axes, keep)),
  extreme('ArgMax', (tf) => (x, axis) => tf.argMax(x, axis)),
  extreme('ArgMin', (tf) => (x, axis) => tf.argMin(x, axis)),
  topK,
  cumSum,
]
