import { inLayout } from '../layout.ts'
import type { Tf, TfTensor } from '../library.ts'
import type { Compiled, Operator, Operand, Site } from './operator.ts'
import { isPadded, paddings, windowOf, type Window } from './window.ts'

type T4 = Parameters<Tf['maxPool']>[0]

const windowFor = (site: Site): Window => windowOf(site, site.ints('kernel_shape')!)

/** Two dimensions with the window of TensorFlow; others, and dilated ones, by shifting the input. */
function pooled(
  tf: Tf,
  window: Window,
  x: TfTensor,
  pool: (image: T4, kernel: [number, number], strides: [number, number]) => TfTensor,
  combine: (parts: readonly TfTensor[]) => TfTensor,
): TfTensor {
  const { kernel, strides, dilations } = window
  if (kernel.length === 1 && dilations[0] === 1)
    return tf.squeeze(pool(tf.expandDims(x, 1), [1, kernel[0]!], [1, strides[0]!]), [1])
  if (kernel.length === 2 && dilations.every((dilation) => dilation === 1))
    return pool(x as T4, kernel as unknown as [number, number], strides as unknown as [number, number])
  return combine(shifted(tf, window, x))
}

/** What each position of the kernel sees. */
function shifted(tf: Tf, { kernel, strides, dilations, output }: Window, x: TfTensor): readonly TfTensor[] {
  const parts: TfTensor[] = []
  const count = kernel.reduce((product, size) => product * size, 1)
  for (let flat = 0; flat < count; flat++) {
    let rest = flat
    const offset = kernel.map(() => 0)
    for (let axis = kernel.length - 1; axis >= 0; axis--) {
      offset[axis] = (rest % kernel[axis]!) * dilations[axis]!
      rest = Math.floor(rest / kernel[axis]!)
    }
    const ends = offset.map((start, i) => start + (output[i]! - 1) * strides[i]! + 1)
    parts.push(tf.stridedSlice(x, [0, ...offset, 0], [x.shape[0], ...ends, x.shape.at(-1)!], [1, ...strides, 1]))
  }
  return parts
}

const maxPool: Operator = {
  name: 'MaxPool',
  compile(site): Compiled {
    const { tf } = site
    if (site.outputCount > 1) return site.refuse('the indices of the largest elements are not computed')
    const window = windowFor(site)
    const padding = isPadded(window.pads) ? paddings(window.pads) : null
    return {
      operands: [site.take(0, 'last')],
      layout: 'last',
      compute(x) {
        const padded = padding ? tf.pad(x, padding, -Infinity) : x
        return pooled(
          tf,
          window,
          padded,
          (image, kernel, strides) => tf.maxPool(image, kernel, strides, 'valid'),
          (parts) => parts.reduce((a, b) => tf.maximum(a, b)),
        )
      },
    }
  },
}

/** Averages over windows of zeros and elements, times the area of the kernel. */
const average = (tf: Tf, window: Window, x: TfTensor): TfTensor => {
  const padded = isPadded(window.pads) ? tf.pad(x, paddings(window.pads)) : x
  return pooled(
    tf,
    window,
    padded,
    (image, kernel, strides) => tf.avgPool(image, kernel, strides, 'valid'),
    (parts) =>
      tf.div(
        parts.reduce((a, b) => tf.add(a, b)),
        parts.length,
      ),
  )
}

const averagePool: Operator = {
  name: 'AveragePool',
  compile(site): Compiled {
    const { tf } = site
    const window = windowFor(site)
    const correction = isPadded(window.pads) ? correctionOf(site, window) : null
    return {
      operands: [site.take(0, 'last'), ...(correction ? [correction] : [])],
      layout: 'last',
      compute: (x, factors?: TfTensor) => (factors ? tf.mul(average(tf, window, x), factors) : average(tf, window, x)),
    }
  },
}

/** For each position, the area of the kernel over the number of elements that count there. */
function correctionOf(site: Site, window: Window): Operand | null {
  const { tf } = site
  const { kernel, strides, dilations, input, output, declared } = window
  const countsPads = site.int('count_include_pad') === 1
  const counts = kernel.map((size, i) => {
    const [before, after] = declared[i]!
    const [low, high] = countsPads ? [-before, input[i]! + after] : [0, input[i]!]
    return Array.from({ length: output[i]! }, (_, position) => {
      const start = position * strides[i]! - before
      const at = Array.from({ length: size }, (_, k) => start + k * dilations[i]!)
      return at.filter((index) => index >= low && index < high).length
    })
  })
  const whole = counts.every((each, i) => each.every((count) => count === kernel[i]))
  if (whole) return null
  return site.bind(`factors ${output.join('x')} of ${input.join('x')}`, () => {
    const along = counts.map((each, i) => {
      const shape = inLayout('last', [1, 1, ...kernel.map((_, axis) => (axis === i ? each.length : 1))])
      return tf.tensor(
        each.map((count) => kernel[i]! / count),
        shape,
      )
    })
    return along.reduce((a, b) => tf.mul(a, b))
  })
}

const lpPool: Operator = {
  name: 'LpPool',
  compile(site): Compiled {
    const { tf } = site
    const window = windowFor(site)
    const p = site.int('p') ?? 2
    const area = window.kernel.reduce((product, size) => product * size, 1)
    return {
      operands: [site.take(0, 'last')],
      layout: 'last',
      compute: (x) => tf.pow(tf.mul(average(tf, window, tf.pow(tf.abs(x), p)), area), 1 / p),
    }
  },
}

const global = (name: string, of: (tf: Tf, site: Site) => (x: TfTensor, axes: number[]) => TfTensor): Operator => ({
  name,
  compile(site) {
    const layout = site.layout(0)
    const spatial = site.shape(0).slice(2)
    const axes = spatial.map((_, i) => (layout === 'last' ? i + 1 : i + 2))
    const reduce = of(site.tf, site)
    return { operands: [site.take(0, layout)], layout, compute: (x) => reduce(x, axes) }
  },
})

/** Pooling by windows and over everything. */
export const POOLING: readonly Operator[] = [
  maxPool,
  averagePool,
  lpPool,
  global('GlobalAveragePool', (tf) => (x, axes) => tf.mean(x, axes, true)),
  global('GlobalMaxPool', (tf) => (x, axes) => tf.max(x, axes, true)),
  global('GlobalLpPool', (tf, site) => {
    const p = site.int('p') ?? 2
    return (x, axes) => tf.pow(tf.sum(tf.pow(tf.abs(x), p), axes, true), 1 / p)
  }),
]
