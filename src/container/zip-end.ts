import type { ByteSource } from './byte-source.ts'
import type { Refusals } from './container-options.ts'
import { uint64, viewOf } from './zip-fields.ts'

/** Where the central directory of a zip file lies. */
export interface DirectoryRange {
  readonly offset: number
  readonly length: number
  readonly entries: number
}

// APPNOTE.TXT 4.3.14-4.3.16.
const END_SIGNATURE = 0x06054b50
const END64_LOCATOR_SIGNATURE = 0x07064b50
const END64_SIGNATURE = 0x06064b50
const END_LENGTH = 22
const END64_LOCATOR_LENGTH = 20
const END64_LENGTH = 56
const MAX_COMMENT = 0xffff

/**
 * Finds the end-of-central-directory record. What follows it, comment or junk, may have 64 KiB at most.
 * The directory must end exactly where its end record begins, as every writer does it: no bytes are read twice or skipped,
 * and a file with something in front (whose offsets are all wrong) is refused.
 */
export async function findDirectory(source: ByteSource, refuse: Refusals): Promise<DirectoryRange> {
  const tailLength = Math.min(source.size, END_LENGTH + MAX_COMMENT + END64_LOCATOR_LENGTH)
  const tail = viewOf(await source.read(source.size - tailLength, tailLength))
  const tailStart = source.size - tailLength
  let problem =
    'there is no end-of-central-directory record in its last 64 KiB: it was cut while it was copied, or is no zip'
  const lowest = Math.max(0, tailLength - END_LENGTH - MAX_COMMENT)
  for (let at = tailLength - END_LENGTH; at >= lowest; at--) {
    if (tail.getUint32(at, true) !== END_SIGNATURE) continue
    const found = await readEnd(source, tail, at, tailStart)
    if (typeof found !== 'string') return found
    problem = found
  }
  throw refuse.corrupt(problem)
}

/** The range that an end record names, or what is wrong with it. */
async function readEnd(
  source: ByteSource,
  tail: DataView,
  at: number,
  tailStart: number,
): Promise<DirectoryRange | string> {
  const end = tailStart + at
  const disks = [tail.getUint16(at + 4, true), tail.getUint16(at + 6, true)]
  const counts = [tail.getUint16(at + 8, true), tail.getUint16(at + 10, true)]
  const range = { offset: tail.getUint32(at + 16, true), length: tail.getUint32(at + 12, true), entries: counts[1]! }
  if (at + END_LENGTH + tail.getUint16(at + 20, true) > tail.byteLength)
    return `its last bytes are missing: the zip comment announced at byte ${end} runs past the end of the file`
  const locator = at - END64_LOCATOR_LENGTH
  if (locator >= 0 && tail.getUint32(locator, true) === END64_LOCATOR_SIGNATURE) {
    const range64 = await readEnd64(source, tail, locator, tailStart)
    if (typeof range64 === 'string') return range64
    const agree =
      sentinelOr(range.offset, range64.offset, 0xffffffff) &&
      sentinelOr(range.length, range64.length, 0xffffffff) &&
      sentinelOr(range.entries, range64.entries, 0xffff)
    return agree
      ? range64
      : `byte ${end}: the zip64 and the plain end-of-central-directory records contradict each other`
  }
  if (disks[0] !== 0 || disks[1] !== 0 || counts[0] !== counts[1])
    return `byte ${end}: it is one part of a zip that was split over several files`
  if (range.offset + range.length !== end)
    return `byte ${end}: the central directory should end here, but byte ${range.offset + range.length} is declared (the file was cut, or something was put in front of it)`
  return range
}

async function readEnd64(
  source: ByteSource,
  tail: DataView,
  locator: number,
  tailStart: number,
): Promise<DirectoryRange | string> {
  const at = uint64(tail, locator + 8)
  const wrong = `byte ${tailStart + locator}: the zip64 end-of-central-directory record is not where its locator says`
  if (at === null || at + END64_LENGTH > tailStart + locator) return wrong
  const record = viewOf(await source.read(at, END64_LENGTH))
  const recordLength = uint64(record, 4)
  if (record.getUint32(0, true) !== END64_SIGNATURE || recordLength === null) return wrong
  // 12: the signature and the length itself are not counted.
  if (at + 12 + recordLength !== tailStart + locator) return wrong
  const [entries, length, offset] = [uint64(record, 32), uint64(record, 40), uint64(record, 48)]
  if (entries === null || length === null || offset === null) return `byte ${at}: sizes beyond 2^53`
  const split = record.getUint32(16, true) !== 0 || record.getUint32(20, true) !== 0 || uint64(record, 24) !== entries
  if (split) return `byte ${at}: it is one part of a zip that was split over several files`
  if (offset + length !== at)
    return `byte ${at}: the central directory should end here, but byte ${offset + length} is declared`
  return { offset, length, entries }
}

const sentinelOr = (short: number, long: number, sentinel: number): boolean => short === sentinel || short === long
