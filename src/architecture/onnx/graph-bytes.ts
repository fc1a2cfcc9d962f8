import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { z } from 'zod'
import { AppError } from '../../error.ts'
import { isDType } from '../../tensor/index.ts'
import type { Graph, Parameter } from '../graph.ts'
import { DEFAULT_ARCHITECTURE_LIMITS, type ArchitectureLimits } from '../limits.ts'
import { countMessages } from './count-messages.ts'
import { readNode, readValue, writeModel } from './graph-proto.ts'
import { ModelProtoSchema, StringStringEntryProtoSchema, type ModelProto } from './onnx_pb.ts'
import { readTensor, writeTensor } from './tensor-proto.ts'

// The stored form of an architecture is an ONNX model without weights: any ONNX tool can show it. Parameters stand in its metadata
// as JSON, [keys, dtype, shape, optional] each; they are values of the graph that only a checkpoint defines.
const PARAMETERS_KEY = 'nograd.parameters'

const PARAMETERS = z.array(
  z.tuple([z.array(z.string()).min(1), z.string().refine(isDType), z.array(z.int().nonnegative()), z.boolean()]),
)

/** A graph as bytes. Equal graphs give equal bytes, so that their hash names the architecture. */
export function encodeGraph(graph: Graph): Uint8Array {
  const model = writeModel(graph, graph.constants.map(writeTensor))
  const rows = graph.parameters.map(({ keys, dtype, shape, optional }) => [keys, dtype, shape, optional])
  model.metadataProps.push(create(StringStringEntryProtoSchema, { key: PARAMETERS_KEY, value: JSON.stringify(rows) }))
  return toBinary(ModelProtoSchema, model)
}

/**
 * The graph that `encodeGraph` wrote.
 * @throws AppError ARCHITECTURE_INVALID when the bytes are something else, LIMIT_EXCEEDED.
 */
export function decodeGraph(bytes: Uint8Array, limits: ArchitectureLimits = DEFAULT_ARCHITECTURE_LIMITS): Graph {
  try {
    countMessages(ModelProtoSchema, bytes, limits)
    return read(fromBinary(ModelProtoSchema, bytes))
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError('ARCHITECTURE_INVALID', 'the stored architecture is damaged: it cannot be decoded', {
      cause: error,
    })
  }
}

function read({ graph, opsetImport, metadataProps }: ModelProto): Graph {
  const text = metadataProps.find(({ key }) => key === PARAMETERS_KEY)?.value
  const opset = opsetImport[0]?.version
  if (!graph || text === undefined || opset === undefined)
    throw new AppError('ARCHITECTURE_INVALID', 'the bytes are no stored architecture')
  return {
    opset: Number(opset),
    inputs: graph.input.map(readValue),
    outputs: graph.output.map(readValue),
    nodes: graph.node.map(readNode),
    parameters: PARAMETERS.parse(JSON.parse(text)).map(([keys, dtype, shape, optional]): Parameter => ({
      name: keys[0]!,
      keys,
      dtype,
      shape,
      optional,
    })),
    constants: graph.initializer.map((tensor) => readTensor(tensor, tensor.name, `constant ${tensor.name}`)),
  }
}
