import { AppError } from '../../error.ts'
import { toFloat32, type DType, type Tensor, type TypedArray } from '../../tensor/index.ts'
import type { Tf, TfTensor } from './library.ts'

/** The element types of TensorFlow.js that are used. */
export type TfDType = 'float32' | 'int32' | 'bool'

/** What stands for an element type in TensorFlow.js, which has three. */
const TF_DTYPES: Partial<Record<DType, TfDType>> = {
  float32: 'float32',
  int64: 'int32',
  int32: 'int32',
  int16: 'int32',
  uint16: 'int32',
  int8: 'int32',
  uint8: 'int32',
  bool: 'bool',
}

/** What stands for an element type in TensorFlow.js; null where nothing does. */
export const tfDType = (dtype: DType): TfDType | null => TF_DTYPES[dtype] ?? null

/**
 * Elements as TensorFlow.js takes them.
 * @throws AppError ENGINE_FAILED for a whole number beyond 32 bits.
 */
export function toTf(tf: Tf, name: string, { dtype, shape, data }: Tensor): TfTensor {
  switch (tfDType(dtype)) {
    case 'float32':
      return tf.tensor(toFloat32(dtype, data), [...shape], 'float32')
    case 'int32':
      return tf.tensor(int32Of(name, data), [...shape], 'int32')
    case 'bool':
      return tf.tensor(
        Uint8Array.from(data as Uint8Array, (bit) => (bit === 0 ? 0 : 1)),
        [...shape],
        'bool',
      )
    case null:
      throw new AppError('ENGINE_FAILED', `tensorflow: ${name} is ${dtype}, which TensorFlow.js does not have`)
  }
}

function int32Of(name: string, data: TypedArray): Int32Array {
  if (data instanceof Int32Array) return data
  const whole = new Int32Array(data.length)
  for (let i = 0; i < whole.length; i++) {
    const number = Number(data[i])
    whole[i] = number
    if (whole[i] !== number)
      throw new AppError(
        'ENGINE_FAILED',
        `tensorflow: ${name} holds ${number}, which is beyond the 32 bits of TensorFlow.js`,
      )
  }
  return whole
}

/** Elements of a result as the graph's dtype has them. */
export function fromTf(dtype: DType, shape: readonly number[], data: ArrayLike<number>): Tensor {
  if (dtype === 'int64') return { dtype, shape, data: BigInt64Array.from(data as Int32Array, BigInt) }
  if (dtype === 'int16') return { dtype, shape, data: Int16Array.from(data) }
  if (dtype === 'uint16') return { dtype, shape, data: Uint16Array.from(data) }
  if (dtype === 'int8') return { dtype, shape, data: Int8Array.from(data) }
  if (dtype === 'uint8') return { dtype, shape, data: Uint8Array.from(data) }
  return { dtype, shape, data: data as Float32Array | Int32Array | Uint8Array }
}
