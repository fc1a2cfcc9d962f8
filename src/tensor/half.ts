const scratch = new DataView(new ArrayBuffer(4))

/** The number that IEEE 754 binary16 bits stand for. */
export function float16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** The number that bfloat16 bits stand for: the upper half of a binary32. */
export function bfloat16ToNumber(bits: number): number {
  scratch.setUint32(0, (bits << 16) >>> 0)
  return scratch.getFloat32(0)
}

/** bfloat16 bits nearest to a binary32 number; ties go to even, NaN stays NaN, as `Tensor.to(torch.bfloat16)`. */
export function numberToBfloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0
  scratch.setFloat32(0, value)
  const bits = scratch.getUint32(0)
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff
}

/** binary16 bits nearest to a binary32 number; ties go to even, as `Tensor.to(torch.float16)`. */
export function numberToFloat16(value: number): number {
  scratch.setFloat32(0, value)
  const bits = scratch.getUint32(0)
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00
  if (magnitude >= 0x477ff000) return sign | 0x7c00
  if (magnitude >= 0x38800000) {
    // Rebias from 127 to 15, then round the 13 dropped bits to even.
    const rebiased = magnitude - 0x38000000
    return sign | ((rebiased + 0xfff + ((rebiased >>> 13) & 1)) >>> 13)
  }
  // Subnormal: a multiple of 2^-24; adding 0.5 makes the hardware round to even at just that bit.
  scratch.setUint32(0, magnitude)
  scratch.setFloat32(0, scratch.getFloat32(0) + 0.5)
  return sign | (scratch.getUint32(0) - 0x3f000000)
}
