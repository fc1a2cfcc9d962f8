import type { DType } from './dtype.ts'
import type { Shape } from './shape.ts'

/** The element arrays that engines and decoders exchange. bfloat16 and float16 travel as their 16 bits. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array

/** A dense row-major tensor in memory. `data.length` is the product of `shape`. */
export interface Tensor {
  readonly dtype: DType
  readonly shape: Shape
  readonly data: TypedArray
}

/** Named tensors: the inputs or outputs of a graph. */
export type TensorMap = ReadonlyMap<string, Tensor>
