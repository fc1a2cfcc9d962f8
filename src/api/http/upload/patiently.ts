/**
 * Pieces of a body, as long as the client sends some. Only the time in which we wait for it counts as its silence: a disk that is slow to
 * write or to flush is not its fault.
 * @param onSilence called when nothing came for `idleMs`; it has to end the pieces
 */
export async function* patiently(
  pieces: AsyncIterable<Uint8Array>,
  idleMs: number,
  onSilence: (error: Error) => void,
): AsyncGenerator<Uint8Array, void> {
  const iterator = pieces[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>
  try {
    for (;;) {
      const timer = setTimeout(() => onSilence(new Error(`no byte came for ${idleMs} ms`)), idleMs)
      const piece = await iterator.next().finally(() => clearTimeout(timer))
      if (piece.done === true) return
      yield piece.value
    }
  } finally {
    await iterator.return?.()
  }
}
