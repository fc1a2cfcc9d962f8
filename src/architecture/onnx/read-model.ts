import { fromBinary } from '@bufbuild/protobuf'
import { AppError } from '../../error.ts'
import type { ArchitectureLimits } from '../limits.ts'
import { countMessages } from './count-messages.ts'
import { foreignFile } from './foreign-file.ts'
import { ModelProtoSchema, type GraphProto, type ModelProto } from './onnx_pb.ts'

/** The default operator sets that are read. */
export const OLDEST_OPSET = 13
export const NEWEST_OPSET = 23

/** A decoded ONNX file. */
export interface OnnxModel {
  readonly model: ModelProto
  readonly graph: GraphProto
  readonly opset: number
}

/**
 * Decodes an ONNX file. Tensors are views of `bytes`.
 * @throws AppError ARCHITECTURE_INVALID for foreign and broken files, LIMIT_EXCEEDED, ARCHITECTURE_UNSUPPORTED_OPERATOR.
 */
export function readModel(bytes: Uint8Array, limits: ArchitectureLimits): OnnxModel {
  if (bytes.byteLength > limits.fileBytes)
    throw new AppError(
      'LIMIT_EXCEEDED',
      `the ONNX file has ${bytes.byteLength} bytes, the limit is ${limits.fileBytes}`,
    )
  const foreign = foreignFile(bytes)
  if (foreign !== null) throw invalid(foreign)
  const model = decode(bytes, limits)
  const { graph } = model
  if (!graph || (graph.node.length === 0 && graph.output.length === 0))
    throw invalid('the file is no ONNX model: it holds no graph')
  const functions = model.functions.map(({ domain, name }) => `${domain}.${name}`)
  if (functions.length > 0)
    throw new AppError(
      'ARCHITECTURE_UNSUPPORTED_OPERATOR',
      `the ONNX file defines functions of its own (${functions.slice(0, 3).join(', ')}); ` +
        'write them out with onnx.inliner.inline_local_functions(model) and save it again',
    )
  if (graph.sparseInitializer.length > 0) throw invalid('the graph has sparse initializers, which are not supported')
  return { model, graph, opset: opsetOf(model) }
}

function decode(bytes: Uint8Array, limits: ArchitectureLimits): ModelProto {
  try {
    countMessages(ModelProtoSchema, bytes, limits)
    return fromBinary(ModelProtoSchema, bytes, { readUnknownFields: false })
  } catch (error) {
    if (error instanceof AppError) throw error
    throw invalid('the file is no ONNX model, or it was cut: it cannot be decoded', error)
  }
}

function opsetOf(model: ModelProto): number {
  const opset = model.opsetImport.find(({ domain }) => domain === '' || domain === 'ai.onnx')?.version
  if (opset === undefined) throw invalid('the ONNX file does not say which operator set it uses')
  if (opset < OLDEST_OPSET || opset > NEWEST_OPSET)
    throw invalid(
      `the ONNX file uses operator set ${opset}; ${OLDEST_OPSET} to ${NEWEST_OPSET} are read: ` +
        'export it again with opset_version=18, or convert it with onnx.version_converter',
    )
  return Number(opset)
}

const invalid = (message: string, cause?: unknown): AppError => new AppError('ARCHITECTURE_INVALID', message, { cause })
