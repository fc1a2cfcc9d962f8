import { byteWriter } from '../byte-writer.ts'

/*
 * The records of a zip file as torch.save writes them: entries stored, payloads aligned, sizes in the directory and the CRC-32 of
 * data in a descriptor after it. Source: APPNOTE.TXT 4.3; caffe2/serialize/inline_container.cc.
 */

/** An entry of the file. */
export interface ZipRecord {
  readonly name: string
  readonly byteLength: number
  /** Known for small records; data have theirs in a descriptor. */
  readonly crc32: number | null
  /** First byte of its local header. */
  readonly offset: number
}

const LIMIT_32 = 0xffffffff
const LIMIT_16 = 0xffff
/** PyTorch maps storages into memory: payloads begin at multiples of this. */
const ALIGNMENT = 64
const UTF8_FLAG = 0x800
const DESCRIPTOR_FLAG = 0x8
/** 1 January 1980, the first day a zip knows: equal checkpoints give equal files. */
const DOS_DATE = 0x21

const isLarge = ({ byteLength }: Pick<ZipRecord, 'byteLength'>): boolean => byteLength >= LIMIT_32
const versionNeeded = (record: ZipRecord): number => (isLarge(record) || record.offset >= LIMIT_32 ? 45 : 20)
const hasDescriptor = ({ byteLength, crc32 }: ZipRecord): boolean => crc32 === null && byteLength > 0
const flags = (record: ZipRecord): number => UTF8_FLAG | (hasDescriptor(record) ? DESCRIPTOR_FLAG : 0)

/** The local header of a record, with the extra field that pads it so that its payload is aligned. */
export function localHeader(record: ZipRecord): Uint8Array {
  const name = Buffer.from(record.name, 'utf8')
  const zip64 = isLarge(record) ? 20 : 0
  const unpadded = record.offset + 30 + name.length + zip64 + 4
  const padding = (ALIGNMENT - (unpadded % ALIGNMENT)) % ALIGNMENT
  const deferred = hasDescriptor(record)
  const size = isLarge(record) ? LIMIT_32 : deferred ? 0 : record.byteLength
  const out = byteWriter()
  out.uint32(0x04034b50)
  out.uint16(versionNeeded(record))
  out.uint16(flags(record))
  out.uint16(0)
  out.uint16(0)
  out.uint16(DOS_DATE)
  out.uint32(record.crc32 ?? 0)
  out.uint32(size)
  out.uint32(size)
  out.uint16(name.length)
  out.uint16(zip64 + 4 + padding)
  out.bytes(name)
  if (zip64 > 0) {
    out.uint16(1)
    out.uint16(16)
    out.uint64(record.byteLength)
    out.uint64(record.byteLength)
  }
  out.bytes(Buffer.from('FB', 'latin1'))
  out.uint16(padding)
  out.bytes(new Uint8Array(padding).fill(0x5a))
  return out.finish()
}

/** What follows the payload of data, and where in it the CRC-32 has to be put; null where nothing follows. */
export function descriptor(record: ZipRecord): { readonly bytes: Uint8Array; readonly crcAt: number } | null {
  if (!hasDescriptor(record)) return null
  const out = byteWriter()
  out.uint32(0x08074b50)
  out.uint32(0)
  const put = (size: number): void => (isLarge(record) ? out.uint64(size) : out.uint32(size))
  put(record.byteLength)
  put(record.byteLength)
  return { bytes: out.finish(), crcAt: 4 }
}

/** The directory at the end of the file, and where in it the CRC-32 of the records without a known one have to be put. */
export function directory(
  records: readonly ZipRecord[],
  offset: number,
): { readonly bytes: Uint8Array; readonly crcAt: readonly number[] } {
  const out = byteWriter()
  const crcAt: number[] = []
  for (const record of records) {
    if (hasDescriptor(record)) crcAt.push(out.length + 16)
    directoryEntry(out, record)
  }
  const length = out.length
  // PyTorch writes the zip64 end always, and so does not have to count twice.
  out.uint32(0x06064b50)
  out.uint64(44)
  out.uint16(45)
  out.uint16(45)
  out.uint32(0)
  out.uint32(0)
  out.uint64(records.length)
  out.uint64(records.length)
  out.uint64(length)
  out.uint64(offset)
  out.uint32(0x07064b50)
  out.uint32(0)
  out.uint64(offset + length)
  out.uint32(1)
  out.uint32(0x06054b50)
  out.uint16(0)
  out.uint16(0)
  out.uint16(Math.min(records.length, LIMIT_16))
  out.uint16(Math.min(records.length, LIMIT_16))
  out.uint32(Math.min(length, LIMIT_32))
  out.uint32(Math.min(offset, LIMIT_32))
  out.uint16(0)
  return { bytes: out.finish(), crcAt }
}

function directoryEntry(out: ReturnType<typeof byteWriter>, record: ZipRecord): void {
  const name = Buffer.from(record.name, 'utf8')
  const far = record.offset >= LIMIT_32
  const extra = (isLarge(record) ? 16 : 0) + (far ? 8 : 0)
  out.uint32(0x02014b50)
  out.uint16(versionNeeded(record))
  out.uint16(versionNeeded(record))
  out.uint16(flags(record))
  out.uint16(0)
  out.uint16(0)
  out.uint16(DOS_DATE)
  out.uint32(record.crc32 ?? 0)
  out.uint32(Math.min(record.byteLength, LIMIT_32))
  out.uint32(Math.min(record.byteLength, LIMIT_32))
  out.uint16(name.length)
  out.uint16(extra === 0 ? 0 : extra + 4)
  out.uint16(0)
  out.uint16(0)
  out.uint16(0)
  out.uint32(0)
  out.uint32(Math.min(record.offset, LIMIT_32))
  out.bytes(name)
  if (extra === 0) return
  out.uint16(1)
  out.uint16(extra)
  if (isLarge(record)) {
    out.uint64(record.byteLength)
    out.uint64(record.byteLength)
  }
  if (far) out.uint64(record.offset)
}
