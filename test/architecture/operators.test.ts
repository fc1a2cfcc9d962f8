import { describe, expect, test } from '@jest/globals'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { graphToOnnx, inferShapes, OPERATOR_NAMES, type Graph } from '../../src/architecture/index.ts'
import { inferValues } from '../../src/architecture/infer-shapes.ts'
import { typedArrayOf, itemSize } from '../../src/tensor/index.ts'
import { FOLDED_CASES, OPERATOR_CASES } from './operator-cases.ts'
import { oneNode, type NodeCase } from './one-node.ts'

const BATCH = 3

/** What ONNX Runtime, an implementation that is not ours, gives for the graph: shape and numbers of each output. */
async function execute(
  graph: Graph,
): Promise<readonly { readonly shape: readonly number[]; readonly numbers: number[] }[]> {
  const shapes = inferShapes(graph)
  const outputs = graph.outputs.map(({ name }) => shapes.get(name)!)
  const session = await InferenceSession.create(graphToOnnx({ ...graph, outputs }, new Map()), { logSeverityLevel: 3 })
  try {
    const feeds = graph.inputs.map(({ name, dtype, shape }) => {
      const sizes = shape.map((size) => (typeof size === 'number' ? size : BATCH))
      const count = sizes.reduce((product, size) => product * size, 1)
      // Zeros are valid indices, and every function but Log and Reciprocal is finite there; only shapes are looked at.
      const data = typedArrayOf(dtype, new Uint8Array(count * itemSize(dtype))) as Float32Array
      return [name, new Tensor(dtype as 'float32', data, sizes)] as const
    })
    const results = await session.run(Object.fromEntries(feeds))
    return graph.outputs.map(({ name }) => {
      const { dims, data } = results[name]!
      return { shape: dims, numbers: Array.from(data as ArrayLike<number | bigint | boolean>, Number) }
    })
  } finally {
    await session.release()
  }
}

const named = (cases: readonly NodeCase[]): [string, NodeCase][] =>
  cases.map((one, i) => [`${i} ${one.op} ${JSON.stringify(one.attributes ?? {})}`, one])

describe('shapes of operators, as ONNX Runtime gives them', () => {
  test.each(named(OPERATOR_CASES))('%s', async (_, one) => {
    const graph = oneNode(one)
    const open = inferShapes(graph)
    const fixed = inferShapes(graph, BATCH)
    const results = await execute(graph)
    for (const [i, { shape }] of results.entries()) {
      expect(fixed.get(`y${i}`)!.shape).toEqual([...shape])
      // The open shape is the fixed one with names for what depends on the batch.
      const sizes = open.get(`y${i}`)!.shape.map((size) => (typeof size === 'number' ? size : sizeAt(size)))
      expect(sizes).toEqual([...shape])
    }
  })

  test('every operator of the table has a case', () => {
    expect([...new Set(OPERATOR_CASES.map(({ op }) => op))].sort()).toEqual([...OPERATOR_NAMES])
  })
})

/** An open size for the batch of the test: `4*N`. */
const sizeAt = (size: string): number =>
  size.split('*').reduce((product, factor) => product * (factor === 'N' ? BATCH : Number(factor)), 1)

describe('elements that are known before a graph runs, as ONNX Runtime computes them', () => {
  test.each(named(FOLDED_CASES))('%s', async (_, one) => {
    const graph = oneNode(one)
    const values = inferValues(graph)
    const results = await execute(graph)
    for (const [i, { numbers }] of results.entries()) {
      const elements = values.get(`y${i}`)!.elements as readonly number[]
      expect(elements).toHaveLength(numbers.length)
      for (const [at, number] of numbers.entries()) expect(elements[at]).toBeCloseTo(number, 5)
    }
  })
})
