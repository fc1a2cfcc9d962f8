import { isNonNegative, sameSize, type Size } from '../size.ts'
import { elementwise, sameDType } from './broadcast.ts'
import type { Element, NodeContext, Operator } from './operator.ts'

const compared = (
  name: string,
  numbers: (a: number, b: number) => boolean,
  more: Partial<Operator> = {},
): Operator => ({
  name,
  inputs: [2, 2],
  outputs: [1, 1],
  infer: (node) => {
    const inputs = [node.input(0), node.input(1)]
    sameDType(node, inputs)
    return [elementwise(node, inputs, 'bool', (a, b) => truth(compareSizes(numbers, a, b)))]
  },
  ...more,
})

/** Sizes are positive whatever the batch is, so that they compare with numbers below 1, and equal ones with each other. */
function compareSizes(numbers: (a: number, b: number) => boolean, a: Size, b: Size): boolean | null {
  if (typeof a === 'number' && typeof b === 'number') return numbers(a, b)
  if (sameSize(a, b)) return numbers(1, 1)
  if (typeof b === 'number' && b <= 0 && isNonNegative(a)) return numbers(1, 0)
  if (typeof a === 'number' && a <= 0 && isNonNegative(b)) return numbers(0, 1)
  return null
}

const truth = (value: boolean | null): Element => (value === null ? null : Number(value))

const logical = (name: string, combine: (a: boolean, b: boolean) => boolean): Operator => ({
  name,
  inputs: [2, 2],
  outputs: [1, 1],
  infer: (node) => [
    elementwise(node, [node.input(0), node.input(1)], 'bool', (a, b) => Number(combine(a === 1, b === 1))),
  ],
})

const test = (name: string, attributes: Operator['attributes'] = {}): Operator => ({
  name,
  inputs: [1, 1],
  outputs: [1, 1],
  attributes,
  infer: (node) => [{ dtype: 'bool', shape: node.input(0).shape }],
})

const not: Operator = {
  name: 'Not',
  inputs: [1, 1],
  outputs: [1, 1],
  infer: (node) => [elementwise(node, [node.input(0)], 'bool', (a) => Number(a === 0))],
}

const where: Operator = {
  name: 'Where',
  inputs: [3, 3],
  outputs: [1, 1],
  infer: (node: NodeContext) => {
    const [condition, yes, no] = [node.input(0), node.input(1), node.input(2)]
    return [elementwise(node, [condition, yes, no], sameDType(node, [yes, no]), (c, a, b) => (c === 1 ? a : b))]
  },
}

/** Comparisons, logic and choice. */
export const COMPARISON: readonly Operator[] = [
  compared('Equal', (a, b) => a === b),
  compared('Greater', (a, b) => a > b),
  compared('GreaterOrEqual', (a, b) => a >= b),
  compared('Less', (a, b) => a < b),
  compared('LessOrEqual', (a, b) => a <= b),
  logical('And', (a, b) => a && b),
  logical('Or', (a, b) => a || b),
  logical('Xor', (a, b) => a !== b),
  not,
  test('IsNaN'),
  test('IsInf', { detect_negative: 'int', detect_positive: 'int' }),
  where,
]
