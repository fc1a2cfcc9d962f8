import { dimensionOf, divideExactly, product, sameSize, shapeText, type Size } from '../size.ts'
import { axesOf, axisOf } from './axes.ts'
import { broadcastShapes, FIXED_BATCH } from './broadcast.ts'
import { moved, reshaped } from './elements.ts'
import type { NodeContext, Operator, Value } from './operator.ts'

const one = (name: string, infer: Operator['infer'], more: Partial<Operator> = {}): Operator => ({
  name,
  inputs: [1, 1],
  outputs: [1, 1],
  infer,
  ...more,
})

/** The shape that Reshape gives: -1 is what is left, 0 copies the input's size unless `allowzero`. */
function reshapedShape(node: NodeContext, from: readonly Size[], target: readonly Size[]): readonly Size[] {
  const copies = !node.int('allowzero')
  const sizes = target.map((size, axis) =>
    size === 0 && copies ? (from[axis] ?? node.fail(`copies size ${axis} of ${shapeText(from)}`)) : size,
  )
  const open = sizes.indexOf(-1)
  const text = `reshapes ${shapeText(from)} to ${shapeText(target)}`
  if (open < 0) {
    if (remaining(from, sizes) !== 1) node.fail(`${text}: the number of elements differs. ${FIXED_BATCH}`)
    return sizes
  }
  const rest = remaining(from, sizes.toSpliced(open, 1))
  if (rest === null) node.fail(`${text}: the elements do not divide evenly. ${FIXED_BATCH}`)
  return sizes.with(open, rest)
}

/** Elements of `from` divided by those of `to`; null where that is no whole number. */
function remaining(from: readonly Size[], to: readonly Size[]): Size | null {
  if (from.includes(0) && to.includes(0)) return 1
  const left = [...from]
  const right = to.filter((size) => {
    const index = left.findIndex((other) => sameSize(other, size))
    if (index < 0) return true
    left.splice(index, 1)
    return false
  })
  return divideExactly(product(left), product(right))
}

const reshape: Operator = {
  name: 'Reshape',
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: { allowzero: 'int' },
  infer: (node) => {
    const input = node.input(0)
    return [reshaped(input, reshapedShape(node, input.shape, node.known(1)!))]
  },
}

const flatten = one(
  'Flatten',
  (node) => {
    const input = node.input(0)
    const rank = input.shape.length
    const axis = node.int('axis') ?? 1
    if (axis < -rank || axis > rank) node.fail(`axis ${axis} is outside of ${rank} dimensions`)
    const split = axis < 0 ? axis + rank : axis
    return [reshaped(input, [product(input.shape.slice(0, split)), product(input.shape.slice(split))])]
  },
  { attributes: { axis: 'int' } },
)

const squeeze: Operator = {
  name: 'Squeeze',
  inputs: [1, 2],
  outputs: [1, 1],
  attributes: { axes: 'ints' },
  infer: (node) => {
    const input = node.input(0)
    const axes = axesOf(node, 1, input.shape.length) ?? input.shape.flatMap((size, axis) => (size === 1 ? [axis] : []))
    for (const axis of axes)
      if (input.shape[axis] !== 1)
        node.fail(
          `squeezes axis ${axis} of ${shapeText(input.shape)}, whose size is ${dimensionOf(input.shape[axis]!)}`,
        )
    const shape = input.shape.filter((_, axis) => !axes.includes(axis))
    return [reshaped(input, shape)]
  },
}

const unsqueeze: Operator = {
  name: 'Unsqueeze',
  inputs: [2, 2],
  outputs: [1, 1],
  infer: (node) => {
    const input = node.input(0)
    const given = node.known(1)!
    const rank = input.shape.length + given.length
    const axes = new Set(given.map((axis) => axisOf(node, axis, rank)))
    if (axes.size < given.length) node.fail('inserts the same axis twice')
    const rest = input.shape.values()
    return [
      reshaped(
        input,
        Array.from({ length: rank }, (_, axis) => (axes.has(axis) ? 1 : rest.next().value!)),
      ),
    ]
  },
}

const transpose = one(
  'Transpose',
  (node) => {
    const input = node.input(0)
    const rank = input.shape.length
    const order = node.ints('perm') ?? input.shape.map((_, axis) => rank - 1 - axis)
    const whole = order.length === rank && input.shape.every((_, axis) => order.includes(axis))
    if (!whole) node.fail(`perm [${order.join(', ')}] is no order of ${rank} dimensions`)
    const shape = order.map((axis) => input.shape[axis]!)
    return [moved(input, shape, (index) => input.shape.map((_, axis) => index[order.indexOf(axis)]!))]
  },
  { attributes: { perm: 'ints' } },
)

const expand: Operator = {
  name: 'Expand',
  inputs: [2, 2],
  outputs: [1, 1],
  infer: (node) => {
    const input = node.input(0)
    const shape = broadcastShapes(node, [input.shape, node.known(1)!])
    return [moved(input, shape, (index) => index.slice(shape.length - input.shape.length))]
  },
}

const tile: Operator = {
  name: 'Tile',
  inputs: [2, 2],
  outputs: [1, 1],
  infer: (node) => {
    const input = node.input(0)
    const repeats = node.known(1)!
    if (repeats.length !== input.shape.length) node.fail('repeats have to be one for each dimension')
    const shape = input.shape.map((size, axis) => product([size, repeats[axis]!]))
    return [moved(input, shape, (index) => index.map((position, axis) => position % (input.shape[axis] as number)))]
  },
}

const identity = one('Identity', (node) => [node.input(0)])

const dropout: Operator = {
  name: 'Dropout',
  inputs: [1, 3],
  outputs: [1, 2],
  attributes: { seed: 'int' },
  infer: (node) => {
    const input: Value = node.input(0)
    return [input, { dtype: 'bool' as const, shape: input.shape }].slice(0, node.outputCount)
  },
}

/** Operators that keep the elements and change how they are arranged. */
export const ARRANGEMENT: readonly Operator[] = [
  reshape,
  flatten,
  squeeze,
  unsqueeze,
  transpose,
  expand,
  tile,
  identity,
  dropout,
]
