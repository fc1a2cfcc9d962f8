import type { ByteSource } from './byte-source.ts'
import type { Refusals } from './container-options.ts'
import { quoted } from './quote.ts'
import { REFUSED_FLAGS, viewOf, zip64Sizes, type DirectoryEntry } from './zip-fields.ts'
import type { ZipEntry } from './zip-limits.ts'

const HEADER_SIGNATURE = 0x04034b50
const HEADER_LENGTH = 30
const HAS_DESCRIPTOR = 1 << 3
/** Headers this close together are fetched by one read: small records lie side by side. */
const MAX_GAP = 8 << 10
const MAX_WINDOW = 256 << 10
const CONCURRENT_READS = 16

/**
 * Reads every local header, checks it against the directory, and finds the payloads. The bytes of an entry, header to
 * payload, must end before the next entry and before the directory: an overlap lets one byte count as two different things.
 */
export async function locatePayloads(
  source: ByteSource,
  entries: readonly DirectoryEntry[],
  directoryOffset: number,
  refuse: Refusals,
): Promise<readonly ZipEntry[]> {
  const order = entries.map((_, i) => i).sort((a, b) => entries[a]!.headerOffset - entries[b]!.headerOffset)
  for (const entry of entries)
    if (headerEnd(entry) + entry.compressedSize > directoryOffset)
      throw refuse.corrupt(
        `${quoted(entry.name)} at byte ${entry.headerOffset} with ${entry.compressedSize} bytes runs into the zip directory at byte ${directoryOffset}`,
      )
  const located = new Array<ZipEntry>(entries.length)
  const windows = headerWindows(entries, order)
  for (let i = 0; i < windows.length; i += CONCURRENT_READS)
    await Promise.all(
      windows.slice(i, i + CONCURRENT_READS).map(async (window) => {
        const bytes = await source.read(window.start, window.end - window.start)
        for (const index of window.indices)
          located[index] = await locate(source, entries[index]!, bytes, window.start, directoryOffset, refuse)
      }),
    )
  order.forEach((index, rank) => {
    const entry = located[index]!
    const next = order[rank + 1]
    const limit = next === undefined ? directoryOffset : entries[next]!.headerOffset
    if (entry.offset + entry.compressedSize > limit)
      throw refuse.corrupt(
        next === undefined
          ? `${quoted(entry.name)} runs into the zip directory at byte ${limit}`
          : `the zip entries ${quoted(entry.name)} and ${quoted(entries[next]!.name)} overlap at byte ${limit}`,
      )
  })
  return located
}

/** Where the fixed part and the name of a local header end; the extra field and the payload follow. */
const headerEnd = (entry: DirectoryEntry): number => entry.headerOffset + HEADER_LENGTH + entry.nameBytes.length

/** Entries whose headers one read covers. */
interface HeaderWindow {
  readonly start: number
  end: number
  readonly indices: number[]
}

function headerWindows(entries: readonly DirectoryEntry[], order: readonly number[]): HeaderWindow[] {
  const windows: HeaderWindow[] = []
  for (const index of order) {
    const start = entries[index]!.headerOffset
    const end = headerEnd(entries[index]!)
    const last = windows.at(-1)
    if (last && start - last.end <= MAX_GAP && end - last.start <= MAX_WINDOW) {
      last.indices.push(index)
      last.end = Math.max(last.end, end)
    } else windows.push({ start, end, indices: [index] })
  }
  return windows
}

async function locate(
  source: ByteSource,
  entry: DirectoryEntry,
  window: Uint8Array,
  windowStart: number,
  directoryOffset: number,
  refuse: Refusals,
): Promise<ZipEntry> {
  const where = (): string => `byte ${entry.headerOffset}: the local header of ${quoted(entry.name)}`
  const view = viewOf(window)
  const at = entry.headerOffset - windowStart
  if (view.getUint32(at, true) !== HEADER_SIGNATURE) throw refuse.corrupt(`${where()} is missing`)
  const nameLength = view.getUint16(at + 26, true)
  const name = window.subarray(at + HEADER_LENGTH, at + HEADER_LENGTH + nameLength)
  if (nameLength !== entry.nameBytes.length || Buffer.compare(name, entry.nameBytes) !== 0)
    throw refuse.corrupt(`${where()} has another name than the zip directory`)
  const flags = view.getUint16(at + 6, true)
  if (flags & REFUSED_FLAGS) throw refuse.unsupported(`${where()} says that it is encrypted or a patch`)
  if (view.getUint16(at + 8, true) !== (entry.method === 'stored' ? 0 : 8))
    throw refuse.corrupt(`${where()} declares another compression than the zip directory`)
  const extraLength = view.getUint16(at + 28, true)
  const offset = headerEnd(entry) + extraLength
  if (offset > directoryOffset)
    throw refuse.corrupt(`${where()} runs into the zip directory at byte ${directoryOffset}`)
  // With a descriptor the sizes follow the payload and the header holds zeros.
  if (!(flags & HAS_DESCRIPTOR)) {
    const short = [view.getUint32(at + 22, true), view.getUint32(at + 18, true)] as const
    const extra = short.includes(0xffffffff) ? await source.read(headerEnd(entry), extraLength) : new Uint8Array()
    const sizes = zip64Sizes(viewOf(extra), 0, extra.length, short)
    if (sizes?.[0] !== entry.size || sizes[1] !== entry.compressedSize)
      throw refuse.corrupt(`${where()} declares another size than the zip directory`)
  }
  const { name: text, method: kind, size, compressedSize, crc32 } = entry
  return { name: text, method: kind, offset, compressedSize, size, crc32 }
}
