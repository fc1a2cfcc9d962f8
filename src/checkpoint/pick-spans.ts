import type { ByteSpan } from './byte-span.ts'
import type { ReadRange } from './gather-box.ts'

/**
 * The bytes of spans, as if they followed each other: those from `from` to before `to` of them. What lies between the first and the last
 * is read once, in order, and passed over: an inflated entry cannot be read in the middle without reading what comes before.
 */
export async function* pickSpans(
  read: ReadRange,
  spans: readonly ByteSpan[],
  from: number,
  to: number,
): AsyncGenerator<Uint8Array> {
  const wanted = clip(spans, from, to)
  const [first] = wanted
  if (first === undefined) return
  let at = first.start
  let next = 0
  for await (const piece of read(first.start, wanted.at(-1)!.end - first.start)) {
    const end = at + piece.length
    for (; next < wanted.length; next++) {
      const span = wanted[next]!
      if (span.start >= end) break
      yield piece.subarray(Math.max(span.start - at, 0), Math.min(span.end, end) - at)
      if (span.end > end) break
    }
    at = end
  }
}

/** The parts of spans that hold the bytes `from` to `to`, counted over all of them. */
function clip(spans: readonly ByteSpan[], from: number, to: number): ByteSpan[] {
  const clipped: ByteSpan[] = []
  let before = 0
  for (const { start, end } of spans) {
    const first = Math.max(start, start + from - before)
    const last = Math.min(end, start + to - before)
    if (first < last) clipped.push({ start: first, end: last })
    before += end - start
  }
  return clipped
}
