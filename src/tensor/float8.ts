import type { DType } from './dtype.ts'

/** Eight-bit floats: one sign bit, then exponent, then fraction. Source: c10/util/Float8_*.h, arXiv:2209.05433, arXiv:2206.02915. */
const FORMATS = {
  // No infinity; all ones is NaN.
  float8_e4m3fn: { fractionBits: 3, bias: 7, special: (bits: number) => ((bits & 0x7f) === 0x7f ? NaN : null) },
  // No infinity and no negative zero, whose bits are NaN.
  float8_e4m3fnuz: { fractionBits: 3, bias: 8, special: (bits: number) => (bits === 0x80 ? NaN : null) },
  // As IEEE 754.
  float8_e5m2: {
    fractionBits: 2,
    bias: 15,
    special: (bits: number) => ((bits & 0x7c) !== 0x7c ? null : bits & 3 ? NaN : bits & 0x80 ? -Infinity : Infinity),
  },
  float8_e5m2fnuz: { fractionBits: 2, bias: 16, special: (bits: number) => (bits === 0x80 ? NaN : null) },
} as const

/** The 256 numbers of an eight-bit float format by their bits; null for another dtype. */
export function float8Values(dtype: DType): Float32Array | null {
  // A bare exponent without sign: 2^-127 to 2^127.
  if (dtype === 'float8_e8m0fnu')
    return Float32Array.from({ length: 256 }, (_, bits) => (bits === 255 ? NaN : 2 ** (bits - 127)))
  if (!Object.hasOwn(FORMATS, dtype)) return null
  const { fractionBits, bias, special } = FORMATS[dtype as keyof typeof FORMATS]
  return Float32Array.from({ length: 256 }, (_, bits) => {
    const sign = bits & 0x80 ? -1 : 1
    const exponent = (bits & 0x7f) >> fractionBits
    const fraction = (bits & ((1 << fractionBits) - 1)) / (1 << fractionBits)
    const magnitude = exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias)
    return special(bits) ?? sign * magnitude
  })
}
