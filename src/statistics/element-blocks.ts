/** Elements of a block: few enough that two blocks stay in a processor's second cache. */
export const BLOCK_ELEMENTS = 2 ** 15

/**
 * A stream of bytes in blocks of `BLOCK_ELEMENTS` whole elements, the last one shorter, each aligned for its elements. A block is only
 * good until the next one is asked for: its memory is used again.
 */
export async function* elementBlocks(
  pieces: AsyncIterable<Uint8Array>,
  itemSize: number,
): AsyncGenerator<Uint8Array, void> {
  const length = BLOCK_ELEMENTS * itemSize
  const block = new Uint8Array(length)
  let filled = 0
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length;) {
      if (filled === 0 && piece.length - at >= length && (piece.byteOffset + at) % 16 === 0) {
        yield piece.subarray(at, at + length)
        at += length
        continue
      }
      const part = piece.subarray(at, at + length - filled)
      block.set(part, filled)
      at += part.length
      filled += part.length
      if (filled < length) continue
      yield block
      filled = 0
    }
  }
  if (filled > 0) yield block.subarray(0, filled)
}
