import { add, multiply, type Size } from '../size.ts'
import { axesOf, axisOf } from './axes.ts'
import { isFollowed, rounded } from './elements.ts'
import type { Element, NodeContext, Operator, Value } from './operator.ts'
import { keepSamplesApart } from './samples-apart.ts'

const reducedShape = (shape: readonly Size[], axes: readonly number[], keep: boolean): readonly Size[] =>
  shape.flatMap((size, axis) => (axes.includes(axis) ? (keep ? [1] : []) : [size]))

function reduce(node: NodeContext, combine?: (a: Size, b: Size) => Element): readonly Value[] {
  const { dtype, shape, elements } = node.input(0)
  const given = axesOf(node, 1, shape.length)
  if ((!given || given.length === 0) && node.int('noop_with_empty_axes')) return [node.input(0)]
  const axes = given && given.length > 0 ? given : shape.map((_, axis) => axis)
  keepSamplesApart(
    node,
    axes.map((axis) => shape[axis]!),
  )
  const keep = (node.int('keepdims') ?? 1) !== 0
  const result = { dtype, shape: reducedShape(shape, axes, keep) }
  // Elements are followed where a whole shape is reduced, as in the number of elements of a tensor.
  if (!combine || !elements?.length || axes.length < shape.length || !isFollowed(dtype)) return [result]
  const total = elements.reduce((a, b) => (a === null || b === null ? null : combine(a, b)))
  return [{ ...result, elements: [typeof total === 'number' ? rounded(dtype, total) : total] }]
}

const reduction = (name: string, combine?: (a: Size, b: Size) => Element): Operator => ({
  name,
  inputs: [1, 2],
  outputs: [1, 1],
  attributes: { axes: 'ints', keepdims: 'int', noop_with_empty_axes: 'int' },
  infer: (node) => reduce(node, combine),
})

const numeric =
  (combine: (a: number, b: number) => number) =>
  (a: Size, b: Size): Element =>
    typeof a === 'number' && typeof b === 'number' ? combine(a, b) : null

const extreme = (name: string): Operator => ({
  name,
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { axis: 'int', keepdims: 'int', select_last_index: 'int' },
  infer: (node) => {
    const { shape } = node.input(0)
    const axis = axisOf(node, node.int('axis') ?? 0, shape.length)
    keepSamplesApart(node, [shape[axis]!])
    return [{ dtype: 'int64', shape: reducedShape(shape, [axis], (node.int('keepdims') ?? 1) !== 0) }]
  },
})

const topK: Operator = {
  name: 'TopK',
  inputs: [2, 2],
  outputs: [2, 2],
  attributes: { axis: 'int', largest: 'int', sorted: 'int' },
  infer: (node) => {
    const { dtype, shape } = node.input(0)
    const axis = axisOf(node, node.int('axis') ?? -1, shape.length)
    keepSamplesApart(node, [shape[axis]!])
    const k = node.known(1)?.[0] ?? node.fail('its count is missing')
    const picked = shape.map((size, i) => (i === axis ? k : size))
    return [
      { dtype, shape: picked },
      { dtype: 'int64', shape: picked },
    ]
  },
}

const cumSum: Operator = {
  name: 'CumSum',
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: { exclusive: 'int', reverse: 'int' },
  infer: (node) => {
    const { dtype, shape } = node.input(0)
    const axis = axisOf(node, node.known(1)?.[0] ?? node.fail('its axis is missing'), shape.length)
    keepSamplesApart(node, [shape[axis]!])
    return [{ dtype, shape }]
  },
}

/** Reductions along axes. */
export const REDUCTION: readonly Operator[] = [
  reduction('ReduceSum', add),
  reduction('ReduceProd', multiply),
  reduction('ReduceMax', numeric(Math.max)),
  reduction('ReduceMin', numeric(Math.min)),
  ...['ReduceMean', 'ReduceL1', 'ReduceL2', 'ReduceLogSum', 'ReduceLogSumExp', 'ReduceSumSquare'].map((name) =>
    reduction(name),
  ),
  extreme('ArgMax'),
  extreme('ArgMin'),
  topK,
  cumSum,
]
