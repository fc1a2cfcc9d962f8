import { CHUNK_BYTES } from './copy-format.ts'

/**
 * The same bytes in chunks, the last one shorter. Pieces may be of any length, and may be reused by their producer; a chunk may be such a
 * piece, or is reused here: it is good until the next one is asked for.
 */
export async function* chunks(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  let chunk: Buffer | null = null
  let filled = 0
  for await (const piece of pieces) {
    if (piece.length === CHUNK_BYTES && filled === 0) {
      yield piece
      continue
    }
    for (let at = 0; at < piece.length;) {
      chunk ??= Buffer.allocUnsafeSlow(CHUNK_BYTES)
      const part = piece.subarray(at, at + CHUNK_BYTES - filled)
      chunk.set(part, filled)
      at += part.length
      filled += part.length
      if (filled < CHUNK_BYTES) continue
      yield chunk
      filled = 0
    }
  }
  if (filled > 0) yield chunk!.subarray(0, filled)
}
