import type { DType } from '../../tensor/index.ts'
import { TensorProto_DataType as Type } from './onnx_pb.ts'

const ONNX_TYPES: Partial<Record<DType, Type>> = {
  bool: Type.BOOL,
  uint8: Type.UINT8,
  int8: Type.INT8,
  int16: Type.INT16,
  uint16: Type.UINT16,
  int32: Type.INT32,
  uint32: Type.UINT32,
  int64: Type.INT64,
  uint64: Type.UINT64,
  float16: Type.FLOAT16,
  bfloat16: Type.BFLOAT16,
  float32: Type.FLOAT,
  float64: Type.DOUBLE,
  complex64: Type.COMPLEX64,
  complex128: Type.COMPLEX128,
  float8_e4m3fn: Type.FLOAT8E4M3FN,
  float8_e4m3fnuz: Type.FLOAT8E4M3FNUZ,
  float8_e5m2: Type.FLOAT8E5M2,
  float8_e5m2fnuz: Type.FLOAT8E5M2FNUZ,
  float8_e8m0fnu: Type.FLOAT8E8M0,
}

const DTYPES = new Map<number, DType>(Object.entries(ONNX_TYPES).map(([dtype, type]) => [type, dtype as DType]))

/** The torch dtype of an ONNX data type; undefined for strings and for types of less than a byte. */
export const dtypeOfOnnx = (type: number): DType | undefined => DTYPES.get(type)

/** The ONNX data type of a torch dtype; undefined for what ONNX lacks. */
export const onnxOfDType = (dtype: DType): Type | undefined => ONNX_TYPES[dtype]
