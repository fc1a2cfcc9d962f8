import { quoted, type ByteSource } from '../../container/index.ts'
import { AppError } from '../../error.ts'
import { itemSize } from '../../tensor/index.ts'
import type { StorageEntry } from '../value-tree.ts'

/** Each storage begins with its number of elements: an int64, little-endian on every machine. */
const COUNT_BYTES = 8
const CONCURRENT_READS = 64

/** Where the storages of a file before PyTorch 1.6 lie. */
export interface StoragePlaces {
  /** First byte of each storage, by its index. */
  readonly offsets: readonly number[]
  /** Byte behind the last one. */
  readonly end: number
}

/**
 * Finds the storages behind the pickles, in the order of the list of keys: each is listed once, and has as many elements as
 * the pickle says. (PyTorch leaves a storage that is not listed at whatever its memory held.)
 * @throws AppError CHECKPOINT_CORRUPT.
 */
export async function placeStorages(
  source: ByteSource,
  start: number,
  storages: readonly StorageEntry[],
  keys: readonly string[],
): Promise<StoragePlaces> {
  const corrupt = (message: string): AppError => new AppError('CHECKPOINT_CORRUPT', `${source.name}: ${message}`)
  const indices = new Map(storages.map(({ key }, index) => [key, index]))
  const offsets = new Array<number | undefined>(storages.length).fill(undefined)
  let at = start
  for (const key of keys) {
    const index = indices.get(key)
    if (index === undefined) throw corrupt(`the list of storages has ${quoted(key)}, which no tensor uses`)
    if (offsets[index] !== undefined) throw corrupt(`the list of storages has ${quoted(key)} twice`)
    offsets[index] = at + COUNT_BYTES
    at += COUNT_BYTES + storages[index]!.byteLength
  }
  const unlisted = offsets.indexOf(undefined)
  if (unlisted >= 0) throw corrupt(`the storage ${quoted(storages[unlisted]!.key)} is not in the list of storages`)
  if (at > source.size)
    throw corrupt(`the storages end at byte ${at}, the file at ${source.size}: it was cut, or its lengths are wrong`)
  const placed = offsets as readonly number[]
  for (let i = 0; i < storages.length; i += CONCURRENT_READS)
    await Promise.all(
      storages.slice(i, i + CONCURRENT_READS).map(async ({ key, dtype, byteLength }, j) => {
        const place = placed[i + j]! - COUNT_BYTES
        const bytes = await source.read(place, COUNT_BYTES)
        const count = new DataView(bytes.buffer, bytes.byteOffset, COUNT_BYTES).getBigInt64(0, true)
        const declared = byteLength / itemSize(dtype)
        if (count !== BigInt(declared))
          throw corrupt(`byte ${place}: storage ${quoted(key)} has ${count} elements, the pickle says ${declared}`)
      }),
    )
  return { offsets: placed, end: at }
}
