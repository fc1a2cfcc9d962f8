import { axisIn, inLayout, type Layout } from '../layout.ts'
import type { Tf, TfTensor } from '../library.ts'
import type { Compiled, Operator, Site } from './operator.ts'

const concat: Operator = {
  name: 'Concat',
  compile(site): Compiled {
    const rank = site.outputShape().length
    const inputs = Array.from({ length: site.inputCount }, (_, input) => input)
    const layout: Layout = rank >= 3 && inputs.some((input) => site.layout(input) === 'last') ? 'last' : 'first'
    const axis = axisIn(layout, site.axis(site.int('axis')!, rank), rank)
    return {
      operands: inputs.map((input) => site.take(input, layout)),
      layout,
      compute: (...tensors) => site.tf.concat([...tensors], axis),
    }
  },
}

const split: Operator = {
  name: 'Split',
  compile(site): Compiled {
    const rank = site.shape(0).length
    const layout = site.layout(0)
    const axis = site.axis(site.int('axis') ?? 0)
    const sizes = Array.from({ length: site.outputCount }, (_, output) => site.outputShape(output)[axis]!)
    const at = axisIn(layout, axis, rank)
    return { operands: [site.take(0, layout)], layout, compute: (x) => site.tf.split(x, sizes, at) }
  },
}

const slice: Operator = {
  name: 'Slice',
  compile(site): Compiled {
    const { tf } = site
    const shape = site.shape(0)
    const layout = site.layout(0)
    const output = site.outputShape()
    const starts = site.known(1)!
    const axes = (site.known(3) ?? starts.map((_, i) => i)).map((axis) => site.axis(axis))
    const steps = site.known(4) ?? starts.map(() => 1)
    const begin = shape.map(() => 0)
    const taken = [...shape]
    const picked: { readonly axis: number; readonly indices: readonly number[] }[] = []
    for (const [i, axis] of axes.entries()) {
      const size = shape[axis]!
      const step = steps[i]!
      const from = starts[i]! < 0 ? starts[i]! + size : starts[i]!
      const start = Math.min(Math.max(from, 0), step < 0 ? size - 1 : size)
      const count = output[axis]!
      if (step === 1) {
        begin[axis] = start
        taken[axis] = count
      } else picked.push({ axis, indices: Array.from({ length: count }, (_, at) => start + at * step) })
    }
    const [first, sizes] = [inLayout(layout, begin), inLayout(layout, taken)]
    const whole = taken.every((size, axis) => size === shape[axis])
    return {
      operands: [site.take(0, layout)],
      layout,
      compute(x) {
        const part = whole ? x : tf.slice(x, first, sizes)
        return picked.reduce(
          (from, { axis, indices }) => gathered(tf, from, indices, axisIn(layout, axis, shape.length)),
          part,
        )
      },
    }
  },
}

const gathered = (tf: Tf, x: TfTensor, indices: readonly number[], axis: number): TfTensor =>
  tf.gather(x, tf.tensor1d([...indices], 'int32'), axis)

/** The element of each position along an axis that padding repeats, for modes that repeat. */
const REPEATED: Readonly<Record<string, (at: number, size: number) => number>> = {
  edge: (at, size) => Math.min(Math.max(at, 0), size - 1),
  wrap: (at, size) => ((at % size) + size) % size,
  reflect: (at, size) => {
    if (size === 1) return 0
    const period = 2 * (size - 1)
    const inside = ((at % period) + period) % period
    return inside < size ? inside : period - inside
  },
}

const pad: Operator = {
  name: 'Pad',
  compile(site): Compiled {
    const { tf } = site
    const shape = site.shape(0)
    const layout = site.layout(0)
    const mode = site.text('mode') ?? 'constant'
    const value = mode === 'constant' ? (site.known(2)?.[0] ?? 0) : 0
    const pads = site.known(1)!
    const axes = (site.known(3) ?? shape.map((_, i) => i)).map((axis) => site.axis(axis))
    const around = shape.map((): [number, number] => [0, 0])
    for (const [i, axis] of axes.entries()) around[axis] = [pads[i]!, pads[i + axes.length]!]
    const operands = [site.take(0, layout)]
    if (mode !== 'constant') {
      const repeated = REPEATED[mode]
      if (!repeated) return site.refuse(`mode ${mode}`)
      return {
        operands,
        layout,
        compute: (x) =>
          around.reduce((from, [before, after], axis) => {
            if (before === 0 && after === 0) return from
            const length = shape[axis]! + before + after
            const indices = Array.from({ length }, (_, at) => repeated(at - before, shape[axis]!))
            return gathered(tf, from, indices, axisIn(layout, axis, shape.length))
          }, x),
      }
    }
    // Negative padding cuts off.
    const begin = inLayout(
      layout,
      around.map(([before]) => Math.max(0, -before)),
    )
    const kept = inLayout(
      layout,
      shape.map((size, axis) => size + Math.min(0, around[axis]![0]) + Math.min(0, around[axis]![1])),
    )
    const cuts = around.some(([before, after]) => before < 0 || after < 0)
    const padding = inLayout(
      layout,
      around.map(([before, after]): [number, number] => [Math.max(0, before), Math.max(0, after)]),
    )
    return {
      operands,
      layout,
      compute: (x) => tf.pad(cuts ? tf.slice(x, begin, kept) : x, padding, value),
    }
  },
}

/** Elements on one side of a diagonal of the last two dimensions; others are zero. */
const trilu: Operator = {
  name: 'Trilu',
  compile(site): Compiled {
    const { tf } = site
    const [rows, columns] = site.shape(0).slice(-2) as [number, number]
    const k = site.known(1)?.[0] ?? 0
    const upper = site.int('upper') !== 0
    const mask = site.bind(`mask ${rows}x${columns}`, () =>
      tf.tensor2d(
        Uint8Array.from({ length: rows * columns }, (_, flat) => {
          const diagonal = (flat % columns) - Math.floor(flat / columns)
          return Number(upper ? diagonal >= k : diagonal <= k)
        }),
        [rows, columns],
        'bool',
      ),
    )
    return { operands: [site.take(0), mask], compute: (x, kept) => chosen(site, kept, x) }
  },
}

function chosen({ tf }: Site, kept: TfTensor, x: TfTensor): TfTensor {
  if (x.dtype === 'bool') return tf.logicalAnd(x, kept)
  return tf.where(kept, x, tf.zerosLike(x))
}

/** Operators that take parts of tensors and put them together. */
export const PARTS: readonly Operator[] = [concat, split, slice, pad, trilu]
