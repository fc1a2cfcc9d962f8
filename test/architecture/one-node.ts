import { bytesOf } from '../../src/architecture/operators/constant-elements.ts'
import type { AttributeValue, Constant, Graph, GraphValue } from '../../src/architecture/index.ts'
import type { DType, Shape } from '../../src/tensor/index.ts'

/** An input of a node under test: an input of the graph (first size the batch), a constant, or nothing. */
export type NodeInput =
  | { readonly kind: 'input'; readonly dtype: DType; readonly shape: Shape }
  | { readonly kind: 'constant'; readonly dtype: DType; readonly shape: Shape; readonly numbers: readonly number[] }
  | null

/** A graph input of one sample's shape; the batch comes before it. */
export const input = (shape: Shape, dtype: DType = 'float32'): NodeInput => ({ kind: 'input', dtype, shape })

/** A constant; a lone number is repeated. */
export function constant(dtype: DType, shape: Shape, numbers: readonly number[] | number): NodeInput {
  const count = shape.reduce((product, size) => product * size, 1)
  return {
    kind: 'constant',
    dtype,
    shape,
    numbers: typeof numbers === 'number' ? new Array<number>(count).fill(numbers) : numbers,
  }
}

/** Whole numbers as a constant of one dimension. */
export const longs = (...numbers: readonly number[]): NodeInput => constant('int64', [numbers.length], numbers)

/** Floats as a constant of one dimension, rising from a tenth. */
export const rising = (...shape: readonly number[]): NodeInput =>
  constant(
    'float32',
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (i + 1) / 10),
  )

/** A node under test. */
export interface NodeCase {
  readonly op: string
  readonly inputs: readonly NodeInput[]
  readonly attributes?: Readonly<Record<string, AttributeValue>>
  readonly outputs?: number
  readonly opset?: number
}

/** Attribute values. */
export const int = (value: number): AttributeValue => ({ kind: 'int', value })
export const ints = (...value: readonly number[]): AttributeValue => ({ kind: 'ints', value })
export const float = (value: number): AttributeValue => ({ kind: 'float', value: Math.fround(value) })
export const text = (value: string): AttributeValue => ({ kind: 'string', value })

/** A graph of that node alone, whose outputs are called y0, y1, …; their shapes are left empty. */
export function oneNode({ op, inputs, attributes = {}, outputs = 1, opset = 20 }: NodeCase): Graph {
  const names = inputs.map((given, i) => (given ? `x${i}` : ''))
  const values = inputs.flatMap((given, i): GraphValue[] =>
    given?.kind === 'input' ? [{ name: names[i]!, dtype: given.dtype, shape: ['N', ...given.shape] }] : [],
  )
  const constants = inputs.flatMap((given, i): Constant[] =>
    given?.kind === 'constant'
      ? [{ name: names[i]!, dtype: given.dtype, shape: given.shape, bytes: bytesOf(given.dtype, given.numbers) }]
      : [],
  )
  const results = Array.from({ length: outputs }, (_, i) => `y${i}`)
  return {
    opset,
    inputs: values,
    outputs: results.map((name) => ({ name, dtype: 'float32', shape: [] })),
    nodes: [{ name: 'node', op, domain: '', inputs: names, outputs: results, attributes }],
    parameters: [],
    constants,
  }
}
