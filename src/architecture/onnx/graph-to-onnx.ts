import { create, toBinary } from '@bufbuild/protobuf'
import { invariant } from '../../error.ts'
import { itemSize, numel } from '../../tensor/index.ts'
import type { Graph, Parameter, WeightSource } from '../graph.ts'
import { writeModel } from './graph-proto.ts'
import {
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
  TensorProtoSchema,
  type TensorProto,
} from './onnx_pb.ts'
import { writeHeader, writeTensor } from './tensor-proto.ts'

/**
 * An ONNX model that an engine loads: the graph with its weights as initializers. The batch stays open.
 * `weights` holds every non-optional parameter by name; parameters that no node reads are left out.
 */
export function graphToOnnx(graph: Graph, weights: ReadonlyMap<string, WeightSource>): Uint8Array {
  const read = new Set(graph.nodes.flatMap(({ inputs }) => inputs).concat(graph.outputs.map(({ name }) => name)))
  const parameters = graph.parameters.filter(({ name, optional }) => !optional && read.has(name))
  const model = writeModel(graph, [
    ...graph.constants.map(writeTensor),
    ...parameters.map((parameter) => weightTensor(parameter, weights.get(parameter.name))),
  ])
  return toBinary(ModelProtoSchema, model)
}

function weightTensor({ name, dtype, shape }: Parameter, weight: WeightSource | undefined): TensorProto {
  invariant(weight, `no weights for parameter ${name}`)
  const length = numel(shape) * itemSize(dtype)
  const given = weight.kind === 'bytes' ? weight.bytes.byteLength : weight.length
  invariant(given === length, `parameter ${name}: ${given} bytes for ${length}`)
  const header = writeHeader(name, dtype, shape)
  if (weight.kind === 'bytes') return create(TensorProtoSchema, { ...header, rawData: weight.bytes })
  const entries = { location: weight.file, offset: String(weight.offset), length: String(weight.length) }
  return create(TensorProtoSchema, {
    ...header,
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: Object.entries(entries).map(([key, value]) => create(StringStringEntryProtoSchema, { key, value })),
  })
}
