import { itemSize, type DType } from '../tensor/index.ts'

/** `length` bytes from byte `offset` of a stream of pieces. Stops reading where they end. */
export async function* slicePieces(
  pieces: AsyncIterable<Uint8Array>,
  offset: number,
  length: number,
): AsyncGenerator<Uint8Array> {
  let at = 0
  const end = offset + length
  if (length === 0) return
  for await (const piece of pieces) {
    const part = piece.subarray(Math.max(0, offset - at), Math.max(0, end - at))
    if (part.length > 0) yield part
    at += piece.length
    if (at >= end) return
  }
}

/** Bytes that are swapped together: a complex number is two of half its size. */
export const swapUnit = (dtype: DType): number => (dtype.startsWith('complex') ? itemSize(dtype) / 2 : itemSize(dtype))

/** Reverses the bytes of every `unit` of a stream; an element that is split over two pieces is put together first. */
export async function* swapPieces(pieces: AsyncIterable<Uint8Array>, unit: number): AsyncGenerator<Uint8Array> {
  let rest = new Uint8Array()
  for await (const piece of pieces) {
    const joined = new Uint8Array(rest.length + piece.length)
    joined.set(rest)
    joined.set(piece, rest.length)
    const whole = joined.length - (joined.length % unit)
    rest = joined.slice(whole)
    const swapped = joined.subarray(0, whole)
    for (let at = 0; at < whole; at += unit) swapped.subarray(at, at + unit).reverse()
    if (whole > 0) yield swapped
  }
}
