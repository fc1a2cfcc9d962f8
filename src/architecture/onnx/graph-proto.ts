import { create } from '@bufbuild/protobuf'
import { AppError, invariant } from '../../error.ts'
import type { Dimension, Graph, GraphNode, GraphValue } from '../graph.ts'
import { readAttribute, writeAttribute } from './attribute-proto.ts'
import { dtypeOfOnnx, onnxOfDType } from './dtype.ts'
import {
  ModelProtoSchema,
  NodeProtoSchema,
  ValueInfoProtoSchema,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './onnx_pb.ts'

// The first IR version that allows an operator set. Source: onnx/helper.py, VERSION_TABLE.
const IR_VERSIONS: readonly (readonly [opset: number, ir: bigint])[] = [
  [23, 11n],
  [21, 10n],
  [19, 9n],
  [15, 8n],
  [0, 7n],
]

/** A node of the file. The default domain has two names. */
export function readNode(proto: NodeProto): GraphNode {
  const label = `node ${proto.name || proto.output[0] || '(unnamed)'} (${proto.opType})`
  return {
    name: proto.name,
    op: proto.opType,
    domain: proto.domain === 'ai.onnx' ? '' : proto.domain,
    inputs: [...proto.input],
    outputs: [...proto.output],
    attributes: Object.fromEntries(
      proto.attribute.map((attribute) => [attribute.name, readAttribute(attribute, label)]),
    ),
  }
}

/** An input or output of the file; sizes that are neither number nor name are named after the value. */
export function readValue({ name, type }: ValueInfoProto): GraphValue {
  if (type?.value.case !== 'tensorType')
    throw new AppError('ARCHITECTURE_INVALID', `${name} is no tensor; inputs and outputs have to be tensors`)
  const { elemType, shape } = type.value.value
  const dtype = dtypeOfOnnx(elemType)
  if (dtype === undefined)
    throw new AppError('ARCHITECTURE_INVALID', `${name} has the ONNX data type ${elemType}, which is not supported`)
  if (!shape) throw new AppError('ARCHITECTURE_INVALID', `${name} does not declare its shape`)
  const sizes = shape.dim.map(({ value }, axis): Dimension => {
    if (value.case === 'dimValue') return Number(value.value)
    return value.value === undefined || value.value === '' ? `${name}_dim_${axis}` : value.value
  })
  return { name, dtype, shape: sizes }
}

function writeNode({ name, op, domain, inputs, outputs, attributes }: GraphNode): NodeProto {
  // In order of name: equal graphs have equal bytes.
  const attribute = Object.entries(attributes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => writeAttribute(key, value))
  return create(NodeProtoSchema, { name, opType: op, domain, input: [...inputs], output: [...outputs], attribute })
}

function writeValue({ name, dtype, shape }: GraphValue): ValueInfoProto {
  const elemType = onnxOfDType(dtype)
  invariant(elemType !== undefined, `${name}: ONNX has no ${dtype}`)
  const dim = shape.map((size) =>
    typeof size === 'number'
      ? { value: { case: 'dimValue' as const, value: BigInt(size) } }
      : { value: { case: 'dimParam' as const, value: size } },
  )
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: 'tensorType', value: { elemType, shape: { dim } } } },
  })
}

/** The graph as an ONNX model with these initializers. */
export function writeModel(graph: Graph, initializer: TensorProto[]): ModelProto {
  return create(ModelProtoSchema, {
    irVersion: IR_VERSIONS.find(([opset]) => graph.opset >= opset)![1],
    producerName: 'nograd',
    opsetImport: [{ domain: '', version: BigInt(graph.opset) }],
    graph: {
      name: 'graph',
      node: graph.nodes.map(writeNode),
      initializer,
      input: graph.inputs.map(writeValue),
      output: graph.outputs.map(writeValue),
    },
  })
}
