import { contiguousStrides } from '../../../tensor/index.ts'
import type { Tf, TfTensor } from '../library.ts'
import type { Compiled, Operator, Site } from './operator.ts'

/** Indices below 0 count from the end. */
const counted = (tf: Tf, indices: TfTensor, size: number): TfTensor =>
  tf.where(tf.less(indices, tf.scalar(0, 'int32')), tf.add(indices, tf.scalar(size, 'int32')), indices)

const gather: Operator = {
  name: 'Gather',
  compile(site): Compiled {
    const { tf } = site
    const axis = site.axis(site.int('axis') ?? 0)
    const size = site.shape(0)[axis]!
    const indices = site.isBound(1) ? site.bind('indices', (value) => counted(tf, value(1), size)) : site.take(1)
    const output = [...site.outputShape()]
    return {
      operands: [site.take(0), indices],
      compute(x, at) {
        const positions = tf.reshape(site.isBound(1) ? at : counted(tf, at, size), [-1]) as Parameters<Tf['gather']>[1]
        return tf.reshape(tf.gather(x, positions, axis), output)
      },
    }
  },
}

/** Positions in a flat tensor of elements that are looked up along an axis: everything but what the indices add. */
function flatBase(site: Site, shape: readonly number[], along: readonly number[], axis: number): TfTensor {
  const strides = contiguousStrides(shape)
  const count = along.reduce((product, size) => product * size, 1)
  const base = new Int32Array(count)
  for (let flat = 0; flat < count; flat++) {
    let rest = flat
    for (let dimension = along.length - 1; dimension >= 0; dimension--) {
      const at = rest % along[dimension]!
      rest = Math.floor(rest / along[dimension]!)
      if (dimension !== axis) base[flat]! += at * strides[dimension]!
    }
  }
  return site.tf.tensor(base, [...along], 'int32')
}

/** The flat positions that indices of GatherElements and ScatterElements mean. */
function flatPositions(site: Site): (indices: TfTensor) => TfTensor {
  const { tf } = site
  const shape = site.shape(0)
  const axis = site.axis(site.int('axis') ?? 0)
  const along = site.shape(1)
  const stride = contiguousStrides(shape)[axis]!
  // Made again for each run: it is as large as the indices, which grow with the batch.
  return (indices) =>
    tf.add(flatBase(site, shape, along, axis), tf.mul(counted(tf, indices, shape[axis]!), tf.scalar(stride, 'int32')))
}

const gatherElements: Operator = {
  name: 'GatherElements',
  compile(site): Compiled {
    const { tf } = site
    const positions = flatPositions(site)
    const output = [...site.outputShape()]
    return {
      operands: [site.take(0), site.take(1)],
      compute(x, indices) {
        const at = tf.reshape(positions(indices), [-1]) as Parameters<Tf['gather']>[1]
        return tf.reshape(tf.gather(tf.reshape(x, [-1]), at), output)
      },
    }
  },
}

const gatherND: Operator = {
  name: 'GatherND',
  compile(site): Compiled {
    const { tf } = site
    if ((site.int('batch_dims') ?? 0) !== 0) return site.refuse('batch_dims other than 0')
    const sizes = site.shape(0).slice(0, site.shape(1).at(-1))
    return {
      operands: [site.take(0), site.take(1)],
      compute: (x, indices) => tf.gatherND(x, countedTuples(tf, indices, sizes)),
    }
  },
}

/** As `counted`, for indices into several dimensions at once. */
const countedTuples = (tf: Tf, indices: TfTensor, sizes: readonly number[]): TfTensor =>
  tf.where(tf.less(indices, tf.scalar(0, 'int32')), tf.add(indices, tf.tensor1d([...sizes], 'int32')), indices)

/** What an element that is written to becomes. */
function written(site: Site): (x: TfTensor, indices: TfTensor, updates: TfTensor) => TfTensor {
  const { tf } = site
  switch (site.text('reduction') ?? 'none') {
    case 'none':
      return (x, indices, updates) => tf.tensorScatterUpdate(x, indices, updates)
    case 'add':
      return (x, indices, updates) =>
        tf.add(x, tf.scatterND(indices as Parameters<Tf['scatterND']>[0], updates, x.shape as never))
    default:
      return site.refuse(`reduction ${site.text('reduction') ?? ''}`)
  }
}

const scatterND: Operator = {
  name: 'ScatterND',
  compile(site): Compiled {
    const write = written(site)
    const sizes = site.shape(0).slice(0, site.shape(1).at(-1))
    return {
      operands: [site.take(0), site.take(1), site.take(2)],
      compute: (x, indices, updates) => write(x, countedTuples(site.tf, indices, sizes), updates),
    }
  },
}

const scatterElements: Operator = {
  name: 'ScatterElements',
  compile(site): Compiled {
    const { tf } = site
    const write = written(site)
    const positions = flatPositions(site)
    return {
      operands: [site.take(0), site.take(1), site.take(2)],
      compute(x, indices, updates) {
        const at = tf.reshape(positions(indices), [-1, 1])
        return tf.reshape(write(tf.reshape(x, [-1]), at, tf.reshape(updates, [-1])), x.shape)
      },
    }
  },
}

const oneHot: Operator = {
  name: 'OneHot',
  compile(site): Compiled {
    const { tf } = site
    const output = site.outputShape()
    const rank = output.length
    const axis = site.axis(site.int('axis') ?? -1, rank)
    const depth = output[axis]!
    const order = Array.from({ length: rank - 1 }, (_, i) => i)
    order.splice(axis, 0, rank - 1)
    const dtype = site.dtype(2) === 'float32' ? 'float32' : 'int32'
    return {
      operands: [site.take(0), site.take(2)],
      compute(indices, values) {
        const hot = tf.oneHot(counted(tf, tf.cast(indices, 'int32'), depth), depth)
        const placed = axis === rank - 1 ? hot : tf.transpose(hot, order)
        const [off, on] = tf.split(values, 2)
        const kind = tf.cast(placed, dtype)
        return tf.add(tf.mul(kind, tf.sub(on!, off!)), off!)
      },
    }
  },
}

/** Operators that look elements up, or write them, by index. */
export const LOOKUP: readonly Operator[] = [gather, gatherElements, gatherND, scatterElements, scatterND, oneHot]
