import { add, divideExactly, isNonNegative, multiply, subtract, type Size } from '../size.ts'
import { elementwise, sameDType } from './broadcast.ts'
import { isFloat, rounded } from './elements.ts'
import { ANY, type Element, type NodeContext, type Operator, type Value } from './operator.ts'

type Combine = (a: Size, b: Size, dtype: Value['dtype']) => Element

/** Numbers are combined and rounded as the dtype does; sizes that depend on the batch only where `symbolic` knows how. */
const combined =
  (numbers: (a: number, b: number) => number, symbolic?: (a: Size, b: Size) => Element): Combine =>
  (a, b, dtype) => {
    if (typeof a !== 'number' || typeof b !== 'number') return symbolic?.(a, b) ?? null
    const result = numbers(a, b)
    // An infinite whole number stands for the largest int64: arithmetic on it would be wrong.
    if (!isFloat(dtype) && !(Number.isFinite(a) && Number.isFinite(b))) return null
    return rounded(dtype, result)
  }

const binary = (name: string, combine: Combine, more: Partial<Operator> = {}): Operator => ({
  name,
  inputs: [2, 2],
  outputs: [1, 1],
  infer: (node) => {
    const inputs = [node.input(0), node.input(1)]
    const dtype = sameDType(node, inputs)
    return [elementwise(node, inputs, dtype, (a, b) => combine(a, b, dtype))]
  },
  ...more,
})

const divide: Combine = (a, b, dtype) =>
  typeof b === 'number' && b === 0 && !isFloat(dtype)
    ? null
    : combined(
        (x, y) => x / y,
        (x, y) => divideExactly(x, y),
      )(a, b, dtype)

const mod: Combine = (a, b, dtype) =>
  b === 0 ? null : combined((x, y) => (isFloat(dtype) ? x % y : x - y * Math.floor(x / y)))(a, b, dtype)

// The exponent may have another dtype than the base.
const pow: Operator = {
  name: 'Pow',
  inputs: [2, 2],
  outputs: [1, 1],
  infer: (node) => {
    const { dtype } = node.input(0)
    return [elementwise(node, [node.input(0), node.input(1)], dtype, (a, b) => combined(Math.pow)(a, b, dtype))]
  },
}

const variadic = (name: string, combine?: Combine): Operator => ({
  name,
  inputs: [1, ANY],
  outputs: [1, 1],
  infer: (node: NodeContext) => {
    const inputs = node.inputs.map((_, index) => node.input(index))
    const dtype = sameDType(node, inputs)
    if (!combine) return [elementwise(node, inputs, dtype)]
    return [
      elementwise(node, inputs, dtype, (...elements) =>
        elements.reduce<Element>((a, b) => (a === null ? null : combine(a, b, dtype)), elements[0]!),
      ),
    ]
  },
})

// Negative numbers are smaller than any size: the batch is at least 1.
const smaller = (a: Size, b: Size): Element =>
  isNonNegative(a) && typeof b === 'number' && b <= 0
    ? b
    : isNonNegative(b) && typeof a === 'number' && a <= 0
      ? a
      : null
const larger = (a: Size, b: Size): Element => {
  const low = smaller(a, b)
  return low === null ? null : low === a ? b : a
}

/** Arithmetic on two or more tensors, with broadcasting. */
export const ARITHMETIC: readonly Operator[] = [
  binary(
    'Add',
    combined((a, b) => a + b, add),
  ),
  binary(
    'Sub',
    combined((a, b) => a - b, subtract),
  ),
  binary(
    'Mul',
    combined((a, b) => a * b, multiply),
  ),
  binary('Div', divide),
  binary('Mod', mod, { attributes: { fmod: 'int' } }),
  pow,
  variadic('Min', combined(Math.min, smaller)),
  variadic('Max', combined(Math.max, larger)),
  variadic('Sum'),
  variadic('Mean'),
]
