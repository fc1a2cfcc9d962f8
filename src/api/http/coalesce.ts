/** Pieces from here on are passed on as they are. */
const LARGE = 1 << 16
/** Smaller ones are put together up to this. */
const GATHERED = 1 << 18

/** Puts small pieces together, so that a file of many small tensors is not sent in as many small packets. */
export async function* coalesce(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  let gathered: Uint8Array[] = []
  let length = 0
  for await (const piece of pieces) {
    if (piece.length < LARGE) {
      gathered.push(piece)
      length += piece.length
      if (length < GATHERED) continue
      yield Buffer.concat(gathered)
    } else {
      if (length > 0) yield Buffer.concat(gathered)
      yield piece
    }
    gathered = []
    length = 0
  }
  if (length > 0) yield Buffer.concat(gathered)
}
