import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  decodeGraph,
  encodeGraph,
  type AttributeValue,
  type Constant,
  type Graph,
  type GraphNode,
  type GraphValue,
  type Parameter,
} from '../../src/architecture/index.ts'
import { itemSize, numel, type DType } from '../../src/tensor/index.ts'

const name = fc.string({ maxLength: 12, unit: 'binary' })
// What ONNX has a type for.
const dtype = fc.constantFrom<DType>(
  'float32',
  'float64',
  'float16',
  'bfloat16',
  'int64',
  'int32',
  'uint8',
  'bool',
  'float8_e5m2',
)
const shape = fc.array(fc.nat({ max: 4 }), { maxLength: 4 })
const whole = fc.maxSafeInteger().map((value) => value || 0)
const float = fc.float()

const constant: fc.Arbitrary<Constant> = fc.record({ name, dtype, shape }).chain((header) => {
  const length = numel(header.shape) * itemSize(header.dtype)
  return fc
    .uint8Array({ minLength: length, maxLength: length })
    .map((bytes) => ({ ...header, bytes: Uint8Array.from(bytes) }))
})

const attribute: fc.Arbitrary<AttributeValue> = fc.oneof(
  whole.map((value) => ({ kind: 'int' as const, value })),
  float.map((value) => ({ kind: 'float' as const, value })),
  name.map((value) => ({ kind: 'string' as const, value })),
  fc.array(whole, { maxLength: 4 }).map((value) => ({ kind: 'ints' as const, value })),
  fc.array(float, { maxLength: 4 }).map((value) => ({ kind: 'floats' as const, value })),
  fc.array(name, { maxLength: 4 }).map((value) => ({ kind: 'strings' as const, value })),
  constant.map((value) => ({ kind: 'tensor' as const, value })),
)

const node: fc.Arbitrary<GraphNode> = fc.record({
  name,
  op: name,
  domain: name.filter((domain) => domain !== 'ai.onnx'),
  inputs: fc.array(name, { maxLength: 4 }),
  outputs: fc.array(name, { maxLength: 4 }),
  attributes: fc.dictionary(name, attribute, { maxKeys: 4, noNullPrototype: true }),
})

const value: fc.Arbitrary<GraphValue> = fc.record({
  name,
  dtype,
  shape: fc.array(fc.oneof(fc.nat({ max: 2 ** 31 }), fc.string({ minLength: 1, maxLength: 5 })), { maxLength: 4 }),
})

const parameter: fc.Arbitrary<Parameter> = fc
  .record({ keys: fc.array(name, { minLength: 1, maxLength: 3 }), dtype, shape, optional: fc.boolean() })
  .map((fields) => ({ ...fields, name: fields.keys[0]! }))

const graph: fc.Arbitrary<Graph> = fc.record({
  opset: fc.integer({ min: 13, max: 23 }),
  inputs: fc.array(value, { maxLength: 3 }),
  outputs: fc.array(value, { maxLength: 3 }),
  nodes: fc.array(node, { maxLength: 5 }),
  parameters: fc.array(parameter, { maxLength: 5 }),
  constants: fc.array(constant, { maxLength: 3 }),
})

describe('encodeGraph and decodeGraph', () => {
  test('any graph comes back as it was, and is written in the same bytes again', () => {
    fc.assert(
      fc.property(graph, (original) => {
        const bytes = encodeGraph(original)
        const decoded = decodeGraph(bytes)
        expect(decoded).toEqual(original)
        expect(encodeGraph(decoded)).toEqual(bytes)
      }),
      { numRuns: 500 },
    )
  })
})
