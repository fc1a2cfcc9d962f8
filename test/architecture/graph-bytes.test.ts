import { createHash } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import {
  decodeGraph,
  encodeGraph,
  graphFromLayers,
  graphFromOnnx,
  graphToOnnx,
  type Graph,
} from '../../src/architecture/index.ts'
import { fixtureBytes } from './fixture.ts'

const digits = graphFromOnnx(fixtureBytes('digits_cnn.onnx'))

const code = (bytes: Uint8Array): unknown => {
  try {
    return decodeGraph(bytes)
  } catch (error) {
    return (error as { code?: string }).code
  }
}

describe('encodeGraph and decodeGraph', () => {
  test('keep the graph exactly', () => {
    expect(decodeGraph(encodeGraph(digits))).toEqual(digits)
    // As a database gives bytes back: a Buffer that starts anywhere.
    expect(decodeGraph(Buffer.concat([Buffer.alloc(5), encodeGraph(digits)]).subarray(5))).toEqual(digits)
  })

  test('keep tied and optional parameters, and graphs without nodes', () => {
    const graph: Graph = {
      opset: 18,
      inputs: [{ name: 'x', dtype: 'int64', shape: ['N', 0, 'T', '2*N'] }],
      outputs: [{ name: 'x', dtype: 'int64', shape: ['N', 0, 'T', '2*N'] }],
      nodes: [],
      parameters: [
        {
          name: 'a.weight',
          keys: ['a.weight', 'b "quoted".weight', 'ü'],
          dtype: 'bfloat16',
          shape: [2, 0],
          optional: false,
        },
        { name: 'n', keys: ['n'], dtype: 'int64', shape: [], optional: true },
      ],
      constants: [{ name: 'c', dtype: 'bool', shape: [3], bytes: Uint8Array.of(1, 0, 1) }],
    }
    expect(decodeGraph(encodeGraph(graph))).toEqual(graph)
  })

  test('give equal bytes for equal graphs, however their attributes are ordered', () => {
    const turned: Graph = {
      ...digits,
      nodes: digits.nodes.map((node) => ({
        ...node,
        attributes: Object.fromEntries(Object.entries(node.attributes).reverse()),
      })),
    }
    expect(encodeGraph(turned)).toEqual(encodeGraph(digits))
    // The hash is stored with a model: it may change with a new format only, and then old rows have to be rehashed.
    const layers = graphFromLayers({
      layers: [{ type: 'Linear', in_features: 2, out_features: 1 }, { type: 'ELU' }],
      input: [2],
    })
    expect(createHash('sha256').update(encodeGraph(layers)).digest('hex')).toMatchInlineSnapshot(
      `"b08bfff7444d9205869a65705a80373a8963f5d474abb75d885ea3d5875d2003"`,
    )
  })

  test('hold no weights', () => {
    expect(encodeGraph(digits).byteLength).toBeLessThan(4000)
  })

  test('refuse what is something else', () => {
    const bytes = encodeGraph(digits)
    expect(code(new Uint8Array())).toBe('ARCHITECTURE_INVALID')
    expect(code(fixtureBytes('digits_cnn.onnx'))).toBe('ARCHITECTURE_INVALID')
    expect(code(graphToOnnx({ ...digits, parameters: [] }, new Map()))).toBe('ARCHITECTURE_INVALID')
    expect(code(bytes.subarray(0, bytes.length - 5))).toBe('ARCHITECTURE_INVALID')
    const text = Buffer.from(bytes).toString('latin1')
    const changed = (from: string, to: string): unknown => code(Buffer.from(text.replace(from, to), 'latin1'))
    expect(changed('"float32"', '"float33"')).toBe('ARCHITECTURE_INVALID')
    expect(changed('[["0.weight"]', '{["0.weight"]')).toBe('ARCHITECTURE_INVALID')
  })
})
