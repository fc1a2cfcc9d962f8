/** A stream of pieces that is taken by lengths. Dispose it when less than all of it was taken. */
export interface PieceReader extends AsyncDisposable {
  /** The next `length` bytes in pieces, cut but not copied. */
  take(length: number): AsyncGenerator<Uint8Array, void>
}

/** Reads a stream by lengths. */
export function pieceReader(pieces: AsyncIterable<Uint8Array>): PieceReader {
  const iterator = pieces[Symbol.asyncIterator]()
  let rest = new Uint8Array()
  return {
    async *take(length) {
      for (let left = length; left > 0;) {
        if (rest.length === 0) {
          const next = await iterator.next()
          if (next.done === true) throw new Error(`a storage ends ${left} bytes too early`)
          rest = next.value as Uint8Array<ArrayBuffer>
        }
        const part = rest.subarray(0, left)
        rest = rest.subarray(part.length)
        left -= part.length
        yield part
      }
    },
    async [Symbol.asyncDispose]() {
      await iterator.return?.()
    },
  }
}
