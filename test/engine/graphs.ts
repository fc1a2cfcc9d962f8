import type {
  AttributeValue,
  Constant,
  Dimension,
  Graph,
  GraphNode,
  GraphValue,
  Parameter,
} from '../../src/architecture/index.ts'
import type { DType, Shape, Tensor } from '../../src/tensor/index.ts'

/** A graph value; its batch is `N`. */
export const value = (name: string, shape: readonly Dimension[], dtype: DType = 'float32'): GraphValue => ({
  name,
  dtype,
  shape: ['N', ...shape],
})

/** A parameter with its own name as its only key. */
export const parameter = (name: string, shape: Shape, dtype: DType = 'float32'): Parameter => ({
  name,
  keys: [name],
  dtype,
  shape,
  optional: false,
})

/** A node named after its output. */
export const node = (
  op: string,
  inputs: readonly string[],
  output: string,
  attributes: Readonly<Record<string, AttributeValue>> = {},
): GraphNode => ({ name: `/${output}`, op, domain: '', inputs, outputs: [output], attributes })

export const int = (number: number): AttributeValue => ({ kind: 'int', value: number })
export const ints = (...numbers: number[]): AttributeValue => ({ kind: 'ints', value: numbers })

/** A graph of one input and one output, unless told otherwise. */
export const graph = (more: Partial<Graph>): Graph => ({
  opset: 17,
  inputs: [value('x', [2])],
  outputs: [value('y', [2])],
  nodes: [],
  parameters: [],
  constants: [],
  ...more,
})

/** y = x·Wᵀ + b of nn.Linear. */
export const linear = (input: string, name: string, output: string): GraphNode =>
  node('Gemm', [input, `${name}.weight`, `${name}.bias`], output, { transB: int(1) })

/** Whole numbers that a graph has in itself, as sizes and axes are. */
export const int64s = (name: string, ...values: bigint[]): Constant => ({
  ...{ name, dtype: 'int64', shape: [values.length] },
  bytes: new Uint8Array(BigInt64Array.from(values).buffer),
})

/** A float32 tensor. */
export const floats = (shape: Shape, data: ArrayLike<number>): Tensor => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from(data),
})

/** Numbers in [-1, 1) that are the same everywhere. */
export function noise(length: number, seed: number): Float32Array {
  let state = seed >>> 0
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  })
}
