import { describe, expect, test } from '@jest/globals'
import { checkGraph, graphFromLayers, inferShapes, type Graph, type GraphNode } from '../../src/architecture/index.ts'
import { sortNodes } from '../../src/architecture/sort-nodes.ts'

const good = graphFromLayers({
  layers: [{ type: 'Linear', in_features: 4, out_features: 3 }, { type: 'ReLU' }],
  input: [4],
})

/** The error of a graph that differs from the good one. */
function refusal(change: Partial<Graph>): { code: string; message: string } {
  try {
    checkGraph({ ...good, ...change })
  } catch (error) {
    return error as { code: string; message: string }
  }
  throw new Error('it was accepted')
}

const node = (op: string, inputs: string[], outputs: string[], more: Partial<GraphNode> = {}): GraphNode => ({
  name: '',
  op,
  domain: '',
  inputs,
  outputs,
  attributes: {},
  ...more,
})
const [gemm, relu] = good.nodes as [GraphNode, GraphNode]

describe('checkGraph', () => {
  test('gives the shape of every value', () => {
    const values = checkGraph(good)
    expect([...values.keys()].sort()).toEqual(['/0/output_1', '0.bias', '0.weight', 'input', 'output'])
    expect(values.get('/0/output_1')).toEqual({ name: '/0/output_1', dtype: 'float32', shape: ['N', 3] })
    expect(inferShapes(good, 5).get('output')!.shape).toEqual([5, 3])
  })

  test.each<[string, Partial<Graph>, string]>([
    [
      'an operator of another domain',
      { nodes: [gemm, { ...relu, domain: 'com.microsoft' }] },
      'Relu of domain com.microsoft (node 1)',
    ],
    ['an unknown operator', { nodes: [gemm, { ...relu, op: 'Magic' }] }, 'Magic (node 1)'],
    ['an undefined value', { nodes: [relu] }, '/0/output_1 is not defined before it'],
    ['nodes out of order', { nodes: [relu, gemm] }, '/0/output_1 is not defined before it'],
    [
      'two values of one name',
      { nodes: [gemm, node('Relu', ['input'], ['0.bias']), relu] },
      'value 0.bias: another value',
    ],
    [
      'two parameters of one name',
      { parameters: [good.parameters[0]!, good.parameters[0]!] },
      'parameter 0.weight: another',
    ],
    [
      'a parameter without its key',
      { parameters: [{ ...good.parameters[0]!, keys: ['other'] }] },
      'the first of its keys is other',
    ],
    [
      'a parameter of an impossible shape',
      { parameters: [{ ...good.parameters[0]!, shape: [-1] }] },
      '0.weight has the impossible shape [-1]',
    ],
    ['no input', { inputs: [] }, 'no input'],
    ['no output', { outputs: [] }, 'no output'],
    [
      'an input without a batch',
      { inputs: [{ name: 'input', dtype: 'float32', shape: [2, 4] }] },
      'input input has shape [2, 4]',
    ],
    [
      'an output that is none',
      { outputs: [{ name: 'logits', dtype: 'float32', shape: ['N'] }] },
      'output logits is no value',
    ],
    [
      'an output without a batch',
      { outputs: [{ name: '0.weight', dtype: 'float32', shape: [3, 4] }] },
      'one result for each sample',
    ],
    [
      'an output of another shape',
      { outputs: [{ name: 'output', dtype: 'float32', shape: ['N', 4] }] },
      'has shape [N, 3]',
    ],
    ['an output of another dtype', { outputs: [{ name: 'output', dtype: 'int64', shape: ['N', 3] }] }, 'dtype float32'],
    [
      'dtypes that differ',
      { inputs: [{ name: 'input', dtype: 'int64', shape: ['N', 4] }] },
      'different dtypes: int64, float32',
    ],
    [
      'shapes that differ',
      { inputs: [{ name: 'input', dtype: 'float32', shape: ['N', 5] }] },
      'node 0 (Gemm): expects 4 features, the input gives 5',
    ],
    ['too few inputs', { nodes: [{ ...gemm, inputs: ['input', ''] }, relu] }, 'has 2 inputs, 2 to 3 are expected'],
    ['too many outputs', { nodes: [gemm, { ...relu, outputs: ['output', 'more'] }] }, 'has 2 outputs, 1 are expected'],
    [
      'an attribute that is not known',
      { nodes: [gemm, { ...relu, attributes: { slope: { kind: 'int', value: 1 } } }] },
      'attribute slope is not known',
    ],
  ])('refuses %s', (_, change, message) => {
    expect(refusal(change).message).toContain(message)
    expect(refusal(change).code).toMatch(/^ARCHITECTURE_/)
  })
})

describe('sortNodes', () => {
  const chain = [node('Relu', ['x'], ['a']), node('Relu', ['a'], ['b']), node('Add', ['a', 'b'], ['c'])]

  test('leaves nodes in order as they are', () => {
    expect(sortNodes(chain)).toBe(chain)
  })

  test('sorts nodes that are not', () => {
    expect(sortNodes(chain.toReversed())).toEqual(chain)
  })

  test('survives a chain of a hundred thousand', () => {
    const long = Array.from({ length: 100_000 }, (_, i) => node('Relu', [`v${i}`], [`v${i + 1}`])).reverse()
    expect(sortNodes(long)[0]!.inputs).toEqual(['v0'])
  })

  test('refuses circles and values that two nodes give', () => {
    expect(() => sortNodes([node('Relu', ['b'], ['a']), node('Relu', ['a'], ['b'])])).toThrow('circle')
    expect(() => sortNodes([node('Relu', ['a'], ['a'])])).toThrow('node a (Relu): waits for its own output')
    expect(() => sortNodes([node('Relu', ['x'], ['a']), node('Tanh', ['x'], ['a'])])).toThrow('gives a, which')
  })
})
