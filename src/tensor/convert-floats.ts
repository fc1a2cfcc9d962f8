import { invariant } from '../error.ts'
import { itemSize, type DType } from './dtype.ts'
import { float8Values } from './float8.ts'

/** What floats can be converted to while a checkpoint is written. */
export const FLOAT_TARGETS = ['float16', 'bfloat16', 'float32'] as const
export type FloatTarget = (typeof FLOAT_TARGETS)[number]

const FLOATS: ReadonlySet<DType> = new Set<DType>([
  'float16',
  'bfloat16',
  'float32',
  'float64',
  'float8_e4m3fn',
  'float8_e4m3fnuz',
  'float8_e5m2',
  'float8_e5m2fnuz',
  'float8_e8m0fnu',
])

/** Whether a dtype is one of real floats: what `Module.half()` and its like convert. */
export const isFloat = (dtype: DType): boolean => FLOATS.has(dtype)

/** Dense little-endian elements to new ones of another dtype. `source` holds whole elements. */
export type FloatConversion = (source: Uint8Array) => Uint8Array

/**
 * The conversion of floats to another float dtype with the bits of `Tensor.to(dtype)`: to nearest, ties to even, overflow to
 * infinity, subnormals kept. NaN has the bits that PyTorch gives it on x86 (its other builds keep a NaN, with other bits).
 * Source: c10/util/Half.h, c10/util/BFloat16.h, ATen/cpu/vec; compared with PyTorch by test/interop.
 */
export function floatConversion(from: DType, to: FloatTarget): FloatConversion {
  invariant(isFloat(from), `${from} is no float`)
  if (from === to) return (source) => source
  // As in PyTorch, a double becomes a float first.
  if (from === 'float64') {
    const rest = fromFloat32(to)
    return (source) => rest(new Uint32Array(Float32Array.from(new Float64Array(aligned(source, 8))).buffer))
  }
  if (from === 'float32') {
    const convert = fromFloat32(to)
    return (source) => convert(new Uint32Array(aligned(source, 4)))
  }
  const table = tableOf(from, to)
  return (source) => {
    const elements = itemSize(from) === 1 ? source : new Uint16Array(aligned(source, 2))
    const out = to === 'float32' ? new Uint32Array(elements.length) : new Uint16Array(elements.length)
    for (let i = 0; i < out.length; i++) out[i] = table[elements[i]!]!
    return new Uint8Array(out.buffer)
  }
}

/** An ArrayBuffer of just these bytes. */
function aligned(bytes: Uint8Array, unit: number): ArrayBuffer {
  const length = bytes.byteLength - (bytes.byteLength % unit)
  return new Uint8Array(bytes.subarray(0, length)).buffer
}

function fromFloat32(to: FloatTarget): (bits: Uint32Array) => Uint8Array {
  if (to === 'float32') return (bits) => new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength)
  const round = to === 'float16' ? roundToFloat16 : roundToBfloat16
  return (bits) => {
    const out = new Uint16Array(bits.length)
    for (let i = 0; i < out.length; i++) out[i] = round(bits[i]!)
    return new Uint8Array(out.buffer)
  }
}

/** Every bit pattern of one or two bytes has its answer in a table. */
function tableOf(from: DType, to: FloatTarget): Uint32Array {
  const wide = Uint32Array.from({ length: itemSize(from) === 1 ? 256 : 65_536 }, (_, bits) => widen(from, bits))
  if (to === 'float32') return wide
  return wide.map((bits) => {
    if (to === 'float16') return roundToFloat16(bits)
    // Elements of two bytes and less go one by one there, and one NaN is chosen.
    return isNaN32(bits) ? 0x7fc0 : roundToBfloat16(bits)
  })
}

const isNaN32 = (bits: number): boolean => (bits & 0x7fffffff) > 0x7f800000

/** The binary32 bits of an element. */
function widen(from: DType, bits: number): number {
  if (from === 'bfloat16') return (bits << 16) >>> 0
  if (from === 'float16') return widenFloat16(bits)
  // The upper half of a float16, NaN included.
  if (from === 'float8_e5m2') return widenFloat16(bits << 8)
  const values = float8Values(from)
  invariant(values !== null, `${from} is an eight-bit float`)
  if (!Number.isNaN(values[bits])) return new Uint32Array(values.buffer)[bits]!
  return from === 'float8_e4m3fn' ? (((bits & 0x80) << 24) | 0x7ff00000) >>> 0 : 0x7f800001
}

function widenFloat16(bits: number): number {
  const sign = (bits & 0x8000) << 16
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  // A NaN becomes quiet and keeps its payload.
  if (exponent === 31) return (sign | 0x7f800000 | (fraction === 0 ? 0 : 0x400000) | (fraction << 13)) >>> 0
  if (exponent > 0) return (sign | ((exponent + 112) << 23) | (fraction << 13)) >>> 0
  if (fraction === 0) return sign >>> 0
  // Subnormal there, normal here: the leading one goes.
  const shift = Math.clz32(fraction) - 21
  return (sign | ((113 - shift) << 23) | ((fraction << (shift + 13)) & 0x7fffff)) >>> 0
}

/** bfloat16 bits nearest to binary32 bits. */
function roundToBfloat16(bits: number): number {
  if (isNaN32(bits)) return 0xffff
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff
}

/** binary16 bits nearest to binary32 bits. */
function roundToFloat16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff)
  if (magnitude >= 0x477ff000) return sign | 0x7c00
  if (magnitude >= 0x38800000) {
    // Rebias from 127 to 15, then round the 13 dropped bits to even.
    const rebiased = magnitude - 0x38000000
    return sign | ((rebiased + 0xfff + ((rebiased >>> 13) & 1)) >>> 13)
  }
  // Subnormal: a multiple of 2^-24. Less than half of the smallest is zero.
  if (magnitude < 0x33000000) return sign
  const shift = 126 - (magnitude >>> 23)
  const fraction = (magnitude & 0x7fffff) | 0x800000
  const rounded = (fraction + (1 << (shift - 1)) - 1 + ((fraction >>> shift) & 1)) >>> shift
  return sign | rounded
}
