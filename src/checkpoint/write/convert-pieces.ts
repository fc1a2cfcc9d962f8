import { floatConversion, itemSize } from '../../tensor/index.ts'
import type { StorageConversion } from './written-value.ts'

/** Converts a stream of elements; one that is split over two pieces is put together first. The stream holds whole elements. */
export async function* convertPieces(
  pieces: AsyncIterable<Uint8Array>,
  { from, to }: StorageConversion,
): AsyncGenerator<Uint8Array, void> {
  const convert = floatConversion(from, to)
  const size = itemSize(from)
  let rest = new Uint8Array()
  for await (const piece of pieces) {
    const joined = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    const whole = joined.length - (joined.length % size)
    rest = new Uint8Array(joined.subarray(whole))
    if (whole > 0) yield convert(joined.subarray(0, whole))
  }
}
