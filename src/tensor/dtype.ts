/**
 * Element types by their torch names. Sizes in bytes.
 * Source: torch/csrc/utils/tensor_dtypes.cpp, c10/core/ScalarType.h.
 */
export const ITEM_SIZE = {
  bool: 1,
  uint8: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  uint64: 8,
  float16: 2,
  bfloat16: 2,
  float32: 4,
  float64: 8,
  complex32: 4,
  complex64: 8,
  complex128: 16,
  float8_e4m3fn: 1,
  float8_e4m3fnuz: 1,
  float8_e5m2: 1,
  float8_e5m2fnuz: 1,
  float8_e8m0fnu: 1,
  /** Two numbers in a byte, which torch counts as one element. */
  float4_e2m1fn_x2: 1,
  qint8: 1,
  quint8: 1,
  qint32: 4,
  quint4x2: 1,
  quint2x4: 1,
} as const

/** A torch element type, without the `torch.` prefix. */
export type DType = keyof typeof ITEM_SIZE

/** All of them. */
export const DTYPES = Object.keys(ITEM_SIZE) as readonly DType[]

/** Whether a string is a known element type. */
export const isDType = (name: string): name is DType => Object.hasOwn(ITEM_SIZE, name)

/** Bytes of one element. */
export const itemSize = (dtype: DType): number => ITEM_SIZE[dtype]
