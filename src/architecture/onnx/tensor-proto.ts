import { create } from '@bufbuild/protobuf'
import { AppError, invariant } from '../../error.ts'
import { itemSize, type DType } from '../../tensor/index.ts'
import type { Constant } from '../graph.ts'
import { dtypeOfOnnx, onnxOfDType } from './dtype.ts'
import { TensorProto_DataLocation, TensorProto_DataType, TensorProtoSchema, type TensorProto } from './onnx_pb.ts'

/** What a tensor declares of itself. */
export interface TensorHeader {
  readonly dtype: DType
  readonly shape: readonly number[]
  /** Bytes of its elements. */
  readonly byteLength: number
}

/** @throws AppError ARCHITECTURE_INVALID for an unsupported dtype or an impossible shape. */
export function tensorHeader(tensor: TensorProto, label: string): TensorHeader {
  const dtype = dtypeOfOnnx(tensor.dataType)
  if (dtype === undefined)
    throw invalid(label, `its data type ${TensorProto_DataType[tensor.dataType] ?? tensor.dataType} is not supported`)
  const shape = tensor.dims.map(Number)
  const byteLength = shape.reduce((product, size) => product * size, itemSize(dtype))
  if (shape.some((size) => !Number.isSafeInteger(size) || size < 0) || !Number.isSafeInteger(byteLength))
    throw invalid(label, `its shape [${tensor.dims.join(', ')}] is impossible`)
  return { dtype, shape, byteLength }
}

/**
 * A tensor as a constant; its bytes are a copy, so that the file can be let go.
 * @throws AppError ARCHITECTURE_INVALID when its data is elsewhere or of another length than its shape says.
 */
export function readTensor(tensor: TensorProto, name: string, label: string): Constant {
  const { dtype, shape, byteLength } = tensorHeader(tensor, label)
  if (tensor.dataLocation === TensorProto_DataLocation.EXTERNAL)
    throw invalid(
      label,
      'it is a constant whose values are in another file; export again with external_data=False, or save the model with ' +
        'onnx.save(model, path, save_as_external_data=False)',
    )
  const bytes = elementBytes(tensor, dtype)
  if (bytes.byteLength !== byteLength)
    throw invalid(
      label,
      `it holds ${bytes.byteLength} bytes, its shape [${shape.join(', ')}] of ${dtype} takes ${byteLength}`,
    )
  return { name, dtype, shape, bytes }
}

/** Source: onnx.proto, TensorProto: which field holds which data type. */
function elementBytes(tensor: TensorProto, dtype: DType): Uint8Array {
  // Not slice: that of a Buffer is no copy.
  if (tensor.rawData.byteLength > 0) return new Uint8Array(tensor.rawData)
  const { buffer, byteOffset, byteLength } = (LISTED[dtype] ?? listedBytes)(tensor)
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)
}

const listedBytes = ({ int32Data }: TensorProto): ArrayBufferView => Uint8Array.from(int32Data)
const listedHalves = ({ int32Data }: TensorProto): ArrayBufferView => Uint16Array.from(int32Data)
const LISTED: Partial<Record<DType, (tensor: TensorProto) => ArrayBufferView>> = {
  float32: ({ floatData }) => Float32Array.from(floatData),
  complex64: ({ floatData }) => Float32Array.from(floatData),
  float64: ({ doubleData }) => Float64Array.from(doubleData),
  complex128: ({ doubleData }) => Float64Array.from(doubleData),
  int64: ({ int64Data }) => BigInt64Array.from(int64Data),
  uint64: ({ uint64Data }) => BigUint64Array.from(uint64Data),
  uint32: ({ uint64Data }) => Uint32Array.from(uint64Data, Number),
  int32: ({ int32Data }) => Int32Array.from(int32Data),
  int16: listedHalves,
  uint16: listedHalves,
  float16: listedHalves,
  bfloat16: listedHalves,
}

/** A constant as an initializer or attribute with its bytes inside. */
export const writeTensor = ({ name, dtype, shape, bytes }: Constant): TensorProto =>
  create(TensorProtoSchema, { ...writeHeader(name, dtype, shape), rawData: bytes })

/** The fields of a tensor that say what it is, without its bytes. */
export function writeHeader(
  name: string,
  dtype: DType,
  shape: readonly number[],
): { name: string; dataType: TensorProto_DataType; dims: bigint[] } {
  const dataType = onnxOfDType(dtype)
  invariant(dataType !== undefined, `${name}: ONNX has no ${dtype}`)
  return { name, dataType, dims: shape.map(BigInt) }
}

const invalid = (label: string, message: string): AppError =>
  new AppError('ARCHITECTURE_INVALID', `${label}: ${message}`)
