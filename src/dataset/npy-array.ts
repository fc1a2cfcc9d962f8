import { AppError } from '../error.ts'
import type { DatasetLimits } from './dataset-limits.ts'
import { NPY_PREFIX_BYTES, npyHeaderRange, parseNpyHeader } from './npy-header.ts'
import type { StoredArray } from './stored-array.ts'

/** The bytes of an npy array, header and data. */
export interface NpyBytes {
  readonly name: string
  /** The array, for messages. */
  readonly where: string
  readonly length: number
  /** From the first byte to the last, in pieces of any size. */
  pieces(): AsyncIterable<Uint8Array>
  /** By range; null where they are compressed. */
  readonly read: StoredArray['read']
}

/**
 * An npy array of a file; its header is read, its data is not.
 * @throws AppError DATASET_CORRUPT, DATASET_UNSUPPORTED, LIMIT_EXCEEDED.
 */
export async function npyArray(bytes: NpyBytes, limits: DatasetLimits): Promise<StoredArray> {
  const { name, where, length, read } = bytes
  const { start, end, encoding } = npyHeaderRange(where, await firstBytes(bytes, NPY_PREFIX_BYTES), limits)
  const head = await firstBytes(bytes, end)
  if (head.length < end) throw new AppError('DATASET_CORRUPT', `${where} ends within its header: it was cut`)
  const text = new TextDecoder(encoding).decode(head.subarray(start))
  const { element, shape, fortranOrder, dataLength } = parseNpyHeader(where, text, limits)
  const found = length - end
  if (found !== dataLength)
    throw new AppError(
      'DATASET_CORRUPT',
      `${where} holds ${found} bytes of data, its shape [${shape.join(', ')}] needs ${dataLength}: ` +
        (found < dataLength ? 'it was cut' : 'something follows the array'),
    )
  return {
    name,
    element,
    shape,
    fortranOrder,
    byteLength: dataLength,
    pieces: () => withoutFirst(bytes.pieces(), end),
    read: read && ((offset, count) => read(end + offset, count)),
  }
}

async function firstBytes(source: NpyBytes, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(Math.min(length, source.length))
  let at = 0
  for await (const piece of source.pieces()) {
    const part = piece.subarray(0, bytes.length - at)
    bytes.set(part, at)
    at += part.length
    if (at === bytes.length) break
  }
  return bytes.subarray(0, at)
}

async function* withoutFirst(pieces: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array> {
  let skip = count
  for await (const piece of pieces) {
    if (piece.length > skip) yield piece.subarray(skip)
    skip = Math.max(0, skip - piece.length)
  }
}
