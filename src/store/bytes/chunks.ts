import { CHUNK_BYTES } from './copy-format.ts'

/** The same bytes in chunks, the last one shorter. Pieces may be of any length, and may be reused by their producer. */
export async function* chunks(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Buffer, void> {
  let chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  let filled = 0
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length;) {
      const part = piece.subarray(at, at + CHUNK_BYTES - filled)
      chunk.set(part, filled)
      at += part.length
      filled += part.length
      if (filled < CHUNK_BYTES) continue
      yield chunk
      chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
      filled = 0
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled)
}
