import type { ByteSource } from './byte-source.ts'
import { refusals, type Refusals } from './container-options.ts'
import { quoted } from './quote.ts'
import { findDirectory, type DirectoryRange } from './zip-end.ts'
import { REFUSED_FLAGS, viewOf, zip64Sizes, type DirectoryEntry } from './zip-fields.ts'
import { locatePayloads } from './zip-local-headers.ts'
import { DEFAULT_ZIP_LIMITS, type ZipEntry, type ZipLimits, type ZipOptions } from './zip-limits.ts'

const ENTRY_SIGNATURE = 0x02014b50
const ENTRY_LENGTH = 46
const METHODS = new Map([
  [0, 'stored'],
  [8, 'deflated'],
] as const)
/**
 * The entries of a zip file in the order of its central directory: zip64, data descriptors, stored and deflated entries.
 * Names are exact and unique, each local header agrees with the directory, and no two entries share a byte.
 * @throws AppError `corrupt`, `unsupported` or LIMIT_EXCEEDED.
 */
export async function readZipDirectory(source: ByteSource, options: ZipOptions): Promise<readonly ZipEntry[]> {
  const refuse = refusals(source, options)
  const limits = options.limits ?? DEFAULT_ZIP_LIMITS
  if (source.size < 22) throw refuse.corrupt(`it has ${source.size} bytes, and the shortest zip has 22`)
  const range = await findDirectory(source, refuse)
  if (range.entries > limits.maxEntries)
    throw refuse.limit(`the zip declares ${range.entries} entries, the limit is ${limits.maxEntries}`)
  if (range.length > limits.maxDirectoryBytes)
    throw refuse.limit(`the zip directory has ${range.length} bytes, the limit is ${limits.maxDirectoryBytes}`)
  const entries = parseEntries(await source.read(range.offset, range.length), range, refuse)
  checkNames(entries, limits, refuse)
  checkInflation(entries, limits, refuse)
  return locatePayloads(source, entries, range.offset, refuse)
}

function parseEntries(bytes: Uint8Array, range: DirectoryRange, refuse: Refusals): DirectoryEntry[] {
  const view = viewOf(bytes)
  const entries: DirectoryEntry[] = []
  let at = 0
  for (let i = 0; i < range.entries; i++) {
    const start = at
    const where = (): string => `byte ${range.offset + start}: zip directory entry ${i}`
    if (at + ENTRY_LENGTH > bytes.length || view.getUint32(at, true) !== ENTRY_SIGNATURE)
      throw refuse.corrupt(`${where()} of ${range.entries} is missing`)
    const nameEnd = at + ENTRY_LENGTH + view.getUint16(at + 28, true)
    const extraEnd = nameEnd + view.getUint16(at + 30, true)
    const end = extraEnd + view.getUint16(at + 32, true)
    if (end > bytes.length) throw refuse.corrupt(`${where()} runs past the end of the directory`)
    entries.push(parseEntry(view, bytes, { at, nameEnd, extraEnd }, where, refuse))
    at = end
  }
  if (at !== bytes.length)
    throw refuse.corrupt(
      `byte ${range.offset + at}: ${bytes.length - at} unexpected bytes after the last directory entry`,
    )
  return entries
}

function parseEntry(
  view: DataView,
  bytes: Uint8Array,
  { at, nameEnd, extraEnd }: { at: number; nameEnd: number; extraEnd: number },
  where: () => string,
  refuse: Refusals,
): DirectoryEntry {
  const nameBytes = bytes.subarray(at + ENTRY_LENGTH, nameEnd)
  const name = decodeName(nameBytes)
  if (name === null) throw refuse.corrupt(`${where()} has a name that is no UTF-8 text`)
  const named = (): string => `${where()} (${quoted(name)})`
  const flags = view.getUint16(at + 8, true)
  if (flags & REFUSED_FLAGS) throw refuse.unsupported(`${named()} is encrypted or a patch; save it without a password`)
  const method = METHODS.get(view.getUint16(at + 10, true) as 0 | 8)
  if (method === undefined)
    throw refuse.unsupported(
      `${named()} has compression method ${view.getUint16(at + 10, true)}; only stored (0) and deflated (8) are read`,
    )
  if (view.getUint16(at + 34, true) !== 0) throw refuse.unsupported(`${named()} lies in another part of a split zip`)
  const sizes = zip64Sizes(view, nameEnd, extraEnd, [
    view.getUint32(at + 24, true),
    view.getUint32(at + 20, true),
    view.getUint32(at + 42, true),
  ] as const)
  if (sizes === null) throw refuse.corrupt(`${named()} has a broken zip64 field`)
  const [size, compressedSize, headerOffset] = sizes
  if (method === 'stored' && size !== compressedSize)
    throw refuse.corrupt(`${named()} is stored but declares ${size} bytes of data in ${compressedSize} bytes`)
  return { name, nameBytes, method, size, compressedSize, headerOffset, crc32: view.getUint32(at + 16, true) }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decodeName(bytes: Uint8Array): string | null {
  try {
    const name = utf8.decode(bytes)
    return name === '' || name.includes('\0') ? null : name
  } catch {
    return null
  }
}

function checkNames(entries: readonly DirectoryEntry[], limits: ZipLimits, refuse: Refusals): void {
  const names = new Set<string>()
  for (const { name, nameBytes } of entries) {
    if (nameBytes.length > limits.maxNameBytes)
      throw refuse.limit(
        `the zip entry ${quoted(name)} has a name of ${nameBytes.length} bytes, the limit is ${limits.maxNameBytes}`,
      )
    // Readers disagree on which of the two they take, so such a file means different things to different programs.
    if (names.has(name)) throw refuse.corrupt(`the zip has two entries named ${quoted(name)}`)
    names.add(name)
  }
}

function checkInflation(entries: readonly DirectoryEntry[], limits: ZipLimits, refuse: Refusals): void {
  let total = 0
  for (const { name, method, size, compressedSize } of entries) {
    if (method === 'stored') continue
    total += size
    if (size > limits.ratioFreeBytes && size > compressedSize * limits.maxInflateRatio)
      throw refuse.limit(
        `${quoted(name)} inflates from ${compressedSize} to ${size} bytes, more than ${limits.maxInflateRatio} times; save it uncompressed`,
      )
    if (total > limits.maxInflatedBytes)
      throw refuse.limit(
        `the compressed entries inflate to more than ${limits.maxInflatedBytes} bytes; save them uncompressed`,
      )
  }
}
