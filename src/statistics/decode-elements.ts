import { bfloat16ToNumber, float16ToNumber, float8Values, itemSize, type DType } from '../tensor/index.ts'

/** Writes elements `first` … `first + count` of a block as float64 numbers; a complex number is its real and its imaginary part. */
export type FillNumbers = (first: number, count: number, out: Float64Array) => void

/** How the bytes of a dtype become numbers. */
export interface ElementDecoder {
  /** Bytes of an element. */
  readonly itemSize: number
  /** Numbers of an element: 2 for a complex one. */
  readonly parts: 1 | 2
  /** Whether sums of squares of its values may be too large or too small for a float64. */
  readonly wide: boolean
  /** Reads a block: bytes of whole elements, aligned for them. */
  readonly open: (block: Uint8Array) => FillNumbers
}

type NumberArray = Float32Array | Float64Array | Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array
type ArrayOf<T> = new (buffer: ArrayBufferLike, offset: number, length: number) => T

/**
 * How elements of a dtype become numbers; null for those that are none. A quantized tensor counts as the integers that it is stored as,
 * bool as 0 and 1; 64-bit integers are rounded to the nearest float64 (exact up to 2^53).
 */
export function elementDecoder(dtype: DType): ElementDecoder | null {
  const open = READERS[dtype]
  if (open === undefined) return null
  const complex = dtype.startsWith('complex')
  const wide = dtype === 'float64' || dtype === 'complex128'
  return { itemSize: itemSize(dtype), parts: complex ? 2 : 1, wide, open }
}

/** Arrays that JavaScript has; their own conversion to float64 is the fastest. */
function array<T extends NumberArray | Uint32Array>(type: ArrayOf<T>, parts = 1): ElementDecoder['open'] {
  return ({ buffer, byteOffset, byteLength }) => {
    const one = new type(buffer, byteOffset, 0).BYTES_PER_ELEMENT
    const values = new type(buffer, byteOffset, byteLength / one)
    return (first, count, out) => out.set(values.subarray(first * parts, (first + count) * parts))
  }
}

/** Every bit pattern has its number in a table, which is made when it is first needed. */
function lookup(bits: 8 | 16, valueOf: (pattern: number) => number, parts = 1): ElementDecoder['open'] {
  let table: Float64Array | undefined
  return ({ buffer, byteOffset, byteLength }) => {
    const numbers = (table ??= Float64Array.from({ length: 2 ** bits }, (_, pattern) => valueOf(pattern)))
    const patterns =
      bits === 8 ? new Uint8Array(buffer, byteOffset, byteLength) : new Uint16Array(buffer, byteOffset, byteLength / 2)
    return (first, count, out) => {
      const begin = first * parts
      const length = count * parts
      for (let i = 0; i < length; i++) out[i] = numbers[patterns[begin + i]!]!
    }
  }
}

/** Two halves make a number without a BigInt: the high one times 2^32 is exact, the sum is rounded once. */
function integer64(High: ArrayOf<Int32Array | Uint32Array>): ElementDecoder['open'] {
  return ({ buffer, byteOffset, byteLength }) => {
    const low = new Uint32Array(buffer, byteOffset, byteLength / 4)
    const high = new High(buffer, byteOffset, byteLength / 4)
    return (first, count, out) => {
      for (let i = 0; i < count; i++) out[i] = high[2 * (first + i) + 1]! * 2 ** 32 + low[2 * (first + i)]!
    }
  }
}

function float8(dtype: DType): ElementDecoder['open'] {
  const values = float8Values(dtype)!
  return lookup(8, (pattern) => values[pattern]!)
}

const READERS: Partial<Record<DType, ElementDecoder['open']>> = {
  bool: lookup(8, (pattern) => (pattern === 0 ? 0 : 1)),
  uint8: array(Uint8Array),
  int8: array(Int8Array),
  int16: array(Int16Array),
  uint16: array(Uint16Array),
  int32: array(Int32Array),
  uint32: array(Uint32Array),
  int64: integer64(Int32Array),
  uint64: integer64(Uint32Array),
  float16: lookup(16, float16ToNumber),
  bfloat16: lookup(16, bfloat16ToNumber),
  float32: array(Float32Array),
  float64: array(Float64Array),
  complex32: lookup(16, float16ToNumber, 2),
  complex64: array(Float32Array, 2),
  complex128: array(Float64Array, 2),
  float8_e4m3fn: float8('float8_e4m3fn'),
  float8_e4m3fnuz: float8('float8_e4m3fnuz'),
  float8_e5m2: float8('float8_e5m2'),
  float8_e5m2fnuz: float8('float8_e5m2fnuz'),
  float8_e8m0fnu: float8('float8_e8m0fnu'),
  qint8: array(Int8Array),
  quint8: array(Uint8Array),
  qint32: array(Int32Array),
}

/** Replaces the parts of complex numbers in `parts` by their moduli, `count` of them in `out`. NaN where either part is. */
export function moduli(parts: Float64Array, count: number, wide: boolean, out: Float64Array): void {
  for (let i = 0; i < count; i++) {
    const re = parts[2 * i]!
    const im = parts[2 * i + 1]!
    // hypot of NaN and infinity is infinity; the sum of all three keeps the NaN.
    if (Number.isNaN(re) || Number.isNaN(im)) out[i] = NaN
    else out[i] = wide ? Math.hypot(re, im) : Math.sqrt(re * re + im * im)
  }
}
