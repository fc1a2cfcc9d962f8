import { itemSize, type DType } from '../../../src/tensor/index.ts'

/** An array of a safetensors file. */
export interface FileArray {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly data: ArrayBufferView
}

const NAMES: Partial<Record<DType, string>> = {
  float32: 'F32',
  int64: 'I64',
  uint8: 'U8',
  float64: 'F64',
  bfloat16: 'BF16',
  float16: 'F16',
}

/** A safetensors file, written by its specification and not by our code. */
export function safetensorsFile(arrays: Readonly<Record<string, FileArray>>): Uint8Array {
  let end = 0
  const header: Record<string, unknown> = {}
  // Wider elements first, so that each array is aligned.
  const ordered = Object.entries(arrays).sort(([, a], [, b]) => itemSize(b.dtype) - itemSize(a.dtype))
  for (const [name, { dtype, shape, data }] of ordered) {
    header[name] = { dtype: NAMES[dtype], shape, data_offsets: [end, end + data.byteLength] }
    end += data.byteLength
  }
  const text = new TextEncoder().encode(JSON.stringify(header))
  const padded = Math.ceil(text.byteLength / 8) * 8
  const file = new Uint8Array(8 + padded + end).fill(0x20, 8, 8 + padded)
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true)
  file.set(text, 8)
  let at = 8 + padded
  for (const [, { data }] of ordered) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at)
    at += data.byteLength
  }
  return file
}
