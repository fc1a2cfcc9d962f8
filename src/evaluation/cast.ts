import { AppError } from '../error.ts'
import {
  float16ToNumber,
  float8Values,
  isFloat,
  numberToBfloat16,
  numberToFloat16,
  typedArrayOf,
  type DType,
  type TypedArray,
} from '../tensor/index.ts'

/** Converts dense little-endian elements; `target` is aligned to its dtype and has room for as many elements as `source` has. */
export type Cast = (source: Uint8Array, target: Uint8Array) => void

/** Dtypes of whole numbers. They and the floats have one real number for each element, and so can be converted and evaluated. */
const WHOLE: ReadonlySet<DType> = new Set<DType>([
  'bool',
  'uint8',
  'int8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'uint64',
])

/** Whether elements of a dtype can be converted to another: not complex, not quantized. */
export const isCastable = (dtype: DType): boolean => isFloat(dtype) || WHOLE.has(dtype)

/**
 * The conversion from one dtype to another, as `Tensor.copy_` does it: floats are rounded to nearest, a float becomes an integer by
 * truncation, anything but zero becomes true.
 * @throws AppError BAD_INPUT when there is none.
 */
export function castBetween(from: DType, to: DType): Cast {
  if (from === to) return (source, target) => target.set(source)
  if (!isCastable(from) || !isCastable(to) || to.startsWith('float8'))
    throw new AppError('BAD_INPUT', `there is no conversion from ${from} to ${to}; save the tensor as float32`)
  const decode = decoder(from)
  const encode = encoder(to)
  return (source, target) => encode(decode(source), typedArrayOf(to, target))
}

/** Elements as numbers. int64 beyond 2^53 is rounded. */
type Numbers = Exclude<TypedArray, BigInt64Array | BigUint64Array>

function decoder(from: DType): (source: Uint8Array) => Numbers {
  if (from === 'float16')
    return decodeTable(
      Float32Array.from({ length: 65_536 }, (_, bits) => float16ToNumber(bits)),
      from,
    )
  if (from === 'bfloat16') return decodeBfloat16
  if (from === 'int64' || from === 'uint64') return decode64(from)
  const float8 = float8Values(from)
  return float8 === null ? (source) => typedArrayOf(from, source) as Numbers : decodeTable(float8, 'uint8')
}

/** Every bit pattern has its number in a table. */
function decodeTable(table: Float32Array, from: DType): (source: Uint8Array) => Float32Array {
  return (source) => {
    const bits = typedArrayOf(from, source) as Uint16Array | Uint8Array
    const out = new Float32Array(bits.length)
    for (let i = 0; i < out.length; i++) out[i] = table[bits[i]!]!
    return out
  }
}

/** bfloat16 is the upper half of float32. */
function decodeBfloat16(source: Uint8Array): Float32Array {
  const bits = typedArrayOf('bfloat16', source) as Uint16Array
  const out = new Uint32Array(bits.length)
  for (let i = 0; i < out.length; i++) out[i] = bits[i]! << 16
  return new Float32Array(out.buffer)
}

/** By halves, because a BigInt for each element is many times slower. */
function decode64(from: 'int64' | 'uint64'): (source: Uint8Array) => Float64Array {
  return (source) => {
    const halves = typedArrayOf('uint32', source) as Uint32Array
    const out = new Float64Array(halves.length / 2)
    if (from === 'int64')
      for (let i = 0; i < out.length; i++) out[i] = (halves[2 * i + 1]! | 0) * 2 ** 32 + halves[2 * i]!
    else for (let i = 0; i < out.length; i++) out[i] = halves[2 * i + 1]! * 2 ** 32 + halves[2 * i]!
    return out
  }
}

function encoder(to: DType): (numbers: Numbers, target: TypedArray) => void {
  if (to === 'float16') return encodeEach(numberToFloat16)
  if (to === 'bfloat16') return encodeEach(numberToBfloat16)
  if (to === 'bool') return encodeEach((value) => Number(value !== 0))
  if (to === 'int64' || to === 'uint64')
    return (numbers, target) => {
      const out = target as BigInt64Array | BigUint64Array
      for (let i = 0; i < numbers.length; i++) out[i] = BigInt(Math.trunc(finite(numbers[i]!)))
    }
  return (numbers, target) => (target as Numbers).set(numbers)
}

function encodeEach(encode: (value: number) => number): (numbers: Numbers, target: TypedArray) => void {
  return (numbers, target) => {
    for (let i = 0; i < numbers.length; i++) target[i] = encode(numbers[i]!)
  }
}

/** C leaves the conversion of NaN and infinities to an integer undefined; here they become 0, as in JavaScript's own arrays. */
const finite = (value: number): number => (Number.isFinite(value) ? value : 0)
