/** Pieces of a column are at most this long. */
const PIECE_BYTES = 1 << 20

/**
 * The same bytes in new pieces of whole elements, of at most 1 MiB or else one element. They may be changed in place
 * and begin at byte 0 of their buffer, as typed arrays want it. Bytes after the last whole element are dropped: sizes
 * are checked before.
 */
export async function* wholeElements(pieces: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  const capacity = Math.max(1, Math.floor(PIECE_BYTES / size)) * size
  let out = new Uint8Array(capacity)
  let filled = 0
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length;) {
      const part = piece.subarray(at, at + capacity - filled)
      out.set(part, filled)
      at += part.length
      filled += part.length
      if (filled < capacity) continue
      yield out
      out = new Uint8Array(capacity)
      filled = 0
    }
  }
  const whole = filled - (filled % size)
  if (whole > 0) yield out.subarray(0, whole)
}
