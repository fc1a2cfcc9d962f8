import type { ByteSpan } from './byte-span.ts'
import type { StorageEntry } from './value-tree.ts'

/**
 * The bytes that a call of `readStorage` asks for.
 * @throws RangeError when there is no such storage, or the range is outside of it: a bug of the caller.
 */
export function requestedRange(
  storages: readonly StorageEntry[],
  index: number,
  offset = 0,
  length?: number,
): ByteSpan {
  const storage = storages[index]
  if (!storage) throw new RangeError(`there is no storage ${index}`)
  const end = offset + (length ?? storage.byteLength - offset)
  if (!(offset >= 0 && offset <= end && end <= storage.byteLength))
    throw new RangeError(`bytes ${offset}..${end} are outside of storage ${index} with ${storage.byteLength}`)
  return { start: offset, end }
}
