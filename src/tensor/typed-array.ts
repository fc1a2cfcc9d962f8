import { AppError } from '../error.ts'
import { bfloat16ToNumber, float16ToNumber } from './half.ts'
import { itemSize, type DType } from './dtype.ts'
import type { TypedArray } from './tensor.ts'

/**
 * Little-endian bytes as a typed array of a dtype, without a copy where the alignment allows.
 * @throws AppError BAD_INPUT for a dtype that JavaScript has no array for (complex, float8, quantized).
 */
export function typedArrayOf(dtype: DType, bytes: Uint8Array): TypedArray {
  const size = itemSize(dtype)
  // Not `slice`: that of a Buffer is a view.
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes)
  const { buffer, byteOffset } = aligned
  const length = aligned.byteLength / size
  switch (dtype) {
    case 'float32':
      return new Float32Array(buffer, byteOffset, length)
    case 'float64':
      return new Float64Array(buffer, byteOffset, length)
    case 'bool':
    case 'uint8':
      return new Uint8Array(buffer, byteOffset, length)
    case 'int8':
      return new Int8Array(buffer, byteOffset, length)
    case 'int16':
      return new Int16Array(buffer, byteOffset, length)
    case 'uint16':
    case 'float16':
    case 'bfloat16':
      return new Uint16Array(buffer, byteOffset, length)
    case 'int32':
      return new Int32Array(buffer, byteOffset, length)
    case 'uint32':
      return new Uint32Array(buffer, byteOffset, length)
    case 'int64':
      return new BigInt64Array(buffer, byteOffset, length)
    case 'uint64':
      return new BigUint64Array(buffer, byteOffset, length)
    default:
      throw new AppError(
        'BAD_INPUT',
        `a tensor of dtype ${dtype} cannot be used as numbers; convert it to float32 first`,
      )
  }
}

/** Elements of any real dtype as float32, as `Tensor.to(torch.float32)`. Returns the same array when it is float32 already. */
export function toFloat32(dtype: DType, data: TypedArray): Float32Array {
  if (dtype === 'float32') return data as Float32Array
  const out = new Float32Array(data.length)
  if (dtype === 'float16') for (let i = 0; i < out.length; i++) out[i] = float16ToNumber(Number(data[i]))
  else if (dtype === 'bfloat16') for (let i = 0; i < out.length; i++) out[i] = bfloat16ToNumber(Number(data[i]))
  else if (data instanceof BigInt64Array || data instanceof BigUint64Array)
    for (let i = 0; i < out.length; i++) out[i] = Number(data[i])
  else out.set(data)
  return out
}
