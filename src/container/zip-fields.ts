import type { ZipEntry } from './zip-limits.ts'

/** An entry as the central directory declares it; its payload is not located yet. */
export interface DirectoryEntry extends Omit<ZipEntry, 'offset'> {
  readonly nameBytes: Uint8Array
  readonly headerOffset: number
}

/** Encrypted (0), patched (5), strongly encrypted (6), masked headers (13). */
export const REFUSED_FLAGS = 1 | (1 << 5) | (1 << 6) | (1 << 13)

/**
 * Size, compressed size and header offset with the 64-bit values of extra field 1 for those that are 0xffffffff
 * (APPNOTE 4.5.3: they follow each other in this order, only those needed). Null when the field is missing or too short.
 */
export function zip64Sizes<Sizes extends readonly number[]>(
  view: DataView,
  extraStart: number,
  extraEnd: number,
  sizes: Sizes,
): Sizes | null {
  if (!sizes.includes(0xffffffff)) return sizes
  for (let at = extraStart; at + 4 <= extraEnd; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue
    const fieldEnd = at + 4 + view.getUint16(at + 2, true)
    let next = at + 4
    const wide = sizes.map((size) => {
      if (size !== 0xffffffff) return size
      next += 8
      return next <= Math.min(fieldEnd, extraEnd) ? uint64(view, next - 8) : null
    })
    return wide.includes(null) ? null : (wide as unknown as Sizes)
  }
  // No zip64 field: the sizes really are 2^32 - 1, which only a file of that length can hold; later checks decide.
  return sizes
}

/** A 64-bit little-endian number, or null when it is no safe integer. */
export function uint64(view: DataView, at: number): number | null {
  const value = Number(view.getBigUint64(at, true))
  return Number.isSafeInteger(value) ? value : null
}

/** A view for reading numbers. */
export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
