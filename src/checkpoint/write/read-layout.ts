import { crc32 } from 'node:zlib'
import { itemSize } from '../../tensor/index.ts'
import { slicePieces } from '../byte-pieces.ts'
import { denseRange } from '../dense-bytes.ts'
import { convertPieces } from './convert-pieces.ts'
import { isRange, segmentLength, type DataSegment, type FileLayout, type FixedSegment } from './file-layout.ts'
import { pieceReader, type PieceReader } from './piece-reader.ts'

/** A part of a storage, in bytes. */
export interface StorageRange {
  readonly storage: number
  readonly offset: number
  readonly length: number
}

/** What a layout reads from. */
export interface LayoutSource {
  /** The bytes of ranges, one range after another, in pieces of any length. */
  read(ranges: readonly StorageRange[]): AsyncIterable<Uint8Array>
  /**
   * CRC-32 of data segments by their numbers, as far as they are known. What is read from end to end is filled in, or compared
   * with what is there.
   */
  readonly checksums: (number | undefined)[]
}

/** A part of a segment that is asked for. */
interface Part {
  readonly segment: number
  readonly from: number
  readonly to: number
}

/**
 * Any range of the bytes of a file, streamed. Neighbouring storages are asked for together. A CRC-32 that is not known and does not
 * come by on the way takes a read of its data of its own.
 * @throws Error when a storage has another CRC-32 than it had.
 */
export async function* readLayout(
  layout: FileLayout,
  source: LayoutSource,
  offset = 0,
  length = layout.byteLength - offset,
): AsyncGenerator<Uint8Array, void> {
  if (!(offset >= 0 && length >= 0 && offset + length <= layout.byteLength))
    throw new RangeError(`bytes ${offset}..${offset + length} are outside of a file of ${layout.byteLength}`)
  const numbers = new Map(layout.data.map((segment, number) => [segment, number]))
  const parts = partsOf(layout, offset, offset + length)
  await provideChecksums(layout, source, parts, numbers)
  let reader: PieceReader | null = null
  try {
    for (const [i, { segment: index, from, to }] of parts.entries()) {
      const segment = layout.segments[index]!
      if (segment.kind === 'fixed') {
        yield fixedBytes(segment, source.checksums).subarray(from, to)
        continue
      }
      if (isRange(segment.source)) {
        reader ??= pieceReader(source.read(rangesFrom(layout, parts, i)))
        const wanted = sourceBytes(segment, from, to)
        const pieces = converted(segment, reader.take(wanted.end - wanted.start), from, to)
        yield* layout.checksummed ? checked(source.checksums, numbers.get(segment)!, segment, from, to, pieces) : pieces
      } else {
        // It reads here and there: the stream of neighbours has ended before it.
        await reader?.[Symbol.asyncDispose]()
        reader = null
        yield* gathered(source, segment, segment.source, from, to)
      }
    }
  } finally {
    await reader?.[Symbol.asyncDispose]()
  }
}

function partsOf({ segments, offsets }: FileLayout, start: number, end: number): Part[] {
  const parts: Part[] = []
  for (let index = segmentAt(offsets, start); index < segments.length && offsets[index]! < end; index++) {
    const from = Math.max(0, start - offsets[index]!)
    const to = Math.min(segmentLength(segments[index]!), end - offsets[index]!)
    if (from < to) parts.push({ segment: index, from, to })
  }
  return parts
}

/** The last segment that begins at or before a byte. */
function segmentAt(offsets: readonly number[], byte: number): number {
  let low = 0
  let high = offsets.length
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if (offsets[middle]! <= byte) low = middle
    else high = middle
  }
  return low
}

/** The bytes before the conversion that make bytes `from` to `to` after it: whole elements. */
function sourceBytes(
  { conversion }: DataSegment,
  from: number,
  to: number,
): { readonly start: number; readonly end: number; readonly skip: number } {
  if (conversion === null) return { start: from, end: to, skip: 0 }
  const out = itemSize(conversion.to)
  const first = Math.floor(from / out)
  const size = itemSize(conversion.from)
  return { start: first * size, end: Math.ceil(to / out) * size, skip: from - first * out }
}

function converted(
  segment: DataSegment,
  pieces: AsyncGenerator<Uint8Array>,
  from: number,
  to: number,
): AsyncGenerator<Uint8Array> {
  if (segment.conversion === null) return pieces
  return slicePieces(convertPieces(pieces, segment.conversion), sourceBytes(segment, from, to).skip, to - from)
}

/** The storage ranges of a run of parts, up to the first view that is not contiguous. */
function rangesFrom(layout: FileLayout, parts: readonly Part[], first: number): StorageRange[] {
  const ranges: StorageRange[] = []
  for (let i = first; i < parts.length; i++) {
    const { segment: index, from, to } = parts[i]!
    const segment = layout.segments[index]!
    if (segment.kind === 'fixed') continue
    if (!isRange(segment.source)) break
    const { start, end } = sourceBytes(segment, from, to)
    ranges.push({ storage: segment.storage, offset: segment.source.offset + start, length: end - start })
  }
  return ranges
}

function gathered(
  source: LayoutSource,
  segment: DataSegment,
  view: Parameters<typeof denseRange>[0],
  from: number,
  to: number,
): AsyncGenerator<Uint8Array> {
  const { start, end } = sourceBytes(segment, from, to)
  const read = (offset: number, length: number): AsyncIterable<Uint8Array> =>
    source.read([{ storage: segment.storage, offset, length }])
  return converted(segment, denseRange(view, read, start, end - start), from, to)
}

/** Passes data on; what passes from its first byte to its last is compared with its CRC-32, or gives it. */
async function* checked(
  checksums: (number | undefined)[],
  number: number,
  segment: DataSegment,
  from: number,
  to: number,
  pieces: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  if (from > 0 || to < segment.byteLength) {
    yield* pieces
    return
  }
  let crc = 0
  for await (const piece of pieces) {
    crc = crc32(piece, crc)
    yield piece
  }
  const known = checksums[number]
  if (known !== undefined && known !== crc)
    throw new Error(`storage ${segment.storage} is damaged: its bytes have the CRC-32 ${crc}, and had ${known}`)
  checksums[number] = crc
}

function fixedBytes(
  { bytes, checksums: places }: FixedSegment,
  checksums: readonly (number | undefined)[],
): Uint8Array {
  if (places.length === 0) return bytes
  const patched = new Uint8Array(bytes)
  const view = new DataView(patched.buffer)
  // One that stands outside of the range that was asked for may still be unknown.
  for (const { at, data } of places) view.setUint32(at, checksums[data] ?? 0, true)
  return patched
}

/** Reads the data whose CRC-32 is asked for, is not known, and does not pass by in time. */
async function provideChecksums(
  layout: FileLayout,
  source: LayoutSource,
  parts: readonly Part[],
  numbers: ReadonlyMap<DataSegment, number>,
): Promise<void> {
  const passing = new Set<number>()
  for (const { segment: index, from, to } of parts) {
    const segment = layout.segments[index]!
    if (segment.kind === 'data') {
      if (from === 0 && to === segment.byteLength) passing.add(numbers.get(segment)!)
      continue
    }
    for (const { at, data } of segment.checksums) {
      const wanted = at < to && at + 4 > from
      if (!wanted || source.checksums[data] !== undefined || passing.has(data)) continue
      await drain(readData(layout, source, data))
    }
  }
}

/** Reads to the end. */
async function drain(pieces: AsyncIterator<unknown>): Promise<void> {
  while ((await pieces.next()).done !== true);
}

/** All bytes of a data segment, which gives its CRC-32. */
function readData(layout: FileLayout, source: LayoutSource, number: number): AsyncGenerator<Uint8Array> {
  const segment = layout.data[number]!
  const { byteLength } = segment
  if (!isRange(segment.source)) return gathered(source, segment, segment.source, 0, byteLength)
  const { offset, length } = segment.source
  const pieces = pieceReader(source.read([{ storage: segment.storage, offset, length }])).take(length)
  return checked(source.checksums, number, segment, 0, byteLength, converted(segment, pieces, 0, byteLength))
}
