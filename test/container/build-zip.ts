import { crc32, deflateRawSync } from 'node:zlib'

/** One entry of a zip to build. Everything but name and data is for forging. */
export interface EntrySpec {
  readonly name: string
  readonly data: Uint8Array
  readonly deflate?: boolean
  /** Sizes behind the payload and zeros in the local header, as torch.save writes. */
  readonly descriptor?: boolean
  /** Sizes in zip64 extra fields although they are small. */
  readonly zip64?: boolean
  /** Bytes of padding in the local extra field. */
  readonly padding?: number
  readonly localName?: string
  readonly crc?: number
  readonly size?: number
  readonly compressedSize?: number
  readonly localSize?: number
  readonly flags?: number
  readonly localFlags?: number
  readonly method?: number
  readonly localMethod?: number
  /** Byte of the local header that the directory names; no local header and payload are written then. */
  readonly headerOffset?: number
  readonly payload?: Uint8Array
}

export interface ZipSpec {
  readonly comment?: string
  readonly trailing?: Uint8Array
  readonly zip64End?: boolean
  /** Bytes that stand in front of what is built; all offsets count them. */
  readonly shift?: number
  /** Entries that the end record declares. */
  readonly declaredEntries?: number
}

/** Builds a zip file byte by byte, correct unless told otherwise. */
export function buildZip(entries: readonly EntrySpec[], spec: ZipSpec = {}): Buffer {
  const parts: Uint8Array[] = []
  const directory: Buffer[] = []
  let at = spec.shift ?? 0
  for (const entry of entries) {
    const payload = entry.payload ?? (entry.deflate ? deflateRawSync(entry.data) : entry.data)
    const fields = {
      flags: entry.flags ?? 0x800 | (entry.descriptor ? 8 : 0),
      method: entry.method ?? (entry.deflate ? 8 : 0),
      crc: entry.crc ?? crc32(entry.data),
      size: entry.size ?? entry.data.length,
      compressedSize: entry.compressedSize ?? payload.length,
      headerOffset: entry.headerOffset ?? at,
    }
    directory.push(directoryEntry(entry, fields))
    if (entry.headerOffset !== undefined) continue
    const local = localHeader(entry, fields)
    const descriptor = entry.descriptor ? dataDescriptor(fields) : new Uint8Array()
    parts.push(local, payload, descriptor)
    at += local.length + payload.length + descriptor.length
  }
  const directoryBytes = Buffer.concat(directory)
  parts.push(directoryBytes, endRecords(entries.length, at, directoryBytes.length, spec))
  return Buffer.concat(parts)
}

interface Fields {
  readonly flags: number
  readonly method: number
  readonly crc: number
  readonly size: number
  readonly compressedSize: number
  readonly headerOffset: number
}

function localHeader(entry: EntrySpec, fields: Fields): Buffer {
  const name = Buffer.from(entry.localName ?? entry.name)
  const size = entry.localSize ?? fields.size
  const later = entry.descriptor === true
  const zip64 = entry.zip64 && !later ? zip64Field([size, fields.compressedSize]) : Buffer.alloc(0)
  const extra = Buffer.concat([zip64, Buffer.alloc(entry.padding ?? 0)])
  const header = Buffer.alloc(30)
  header.writeUInt32LE(0x04034b50, 0)
  header.writeUInt16LE(20, 4)
  header.writeUInt16LE(entry.localFlags ?? fields.flags, 6)
  header.writeUInt16LE(entry.localMethod ?? fields.method, 8)
  header.writeUInt32LE(later ? 0 : fields.crc, 14)
  header.writeUInt32LE(later ? 0 : entry.zip64 ? 0xffffffff : fields.compressedSize, 18)
  header.writeUInt32LE(later ? 0 : entry.zip64 ? 0xffffffff : size, 22)
  header.writeUInt16LE(name.length, 26)
  header.writeUInt16LE(extra.length, 28)
  return Buffer.concat([header, name, extra])
}

function directoryEntry(entry: EntrySpec, fields: Fields): Buffer {
  const name = Buffer.from(entry.name)
  const extra = entry.zip64 ? zip64Field([fields.size, fields.compressedSize, fields.headerOffset]) : Buffer.alloc(0)
  const header = Buffer.alloc(46)
  header.writeUInt32LE(0x02014b50, 0)
  header.writeUInt16LE(fields.flags, 8)
  header.writeUInt16LE(fields.method, 10)
  header.writeUInt32LE(fields.crc, 16)
  header.writeUInt32LE(entry.zip64 ? 0xffffffff : fields.compressedSize, 20)
  header.writeUInt32LE(entry.zip64 ? 0xffffffff : fields.size, 24)
  header.writeUInt16LE(name.length, 28)
  header.writeUInt16LE(extra.length, 30)
  header.writeUInt32LE(entry.zip64 ? 0xffffffff : fields.headerOffset, 42)
  return Buffer.concat([header, name, extra])
}

function dataDescriptor({ crc, compressedSize, size }: Fields): Buffer {
  const bytes = Buffer.from('PK\x07\x08............', 'latin1')
  bytes.writeUInt32LE(crc, 4)
  bytes.writeUInt32LE(compressedSize, 8)
  bytes.writeUInt32LE(size, 12)
  return bytes
}

function zip64Field(values: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + 8 * values.length)
  field.writeUInt16LE(1, 0)
  field.writeUInt16LE(8 * values.length, 2)
  values.forEach((value, i) => field.writeBigUInt64LE(BigInt(value), 4 + 8 * i))
  return field
}

function endRecords(entries: number, offset: number, length: number, spec: ZipSpec): Buffer {
  const declared = spec.declaredEntries ?? entries
  const comment = Buffer.from(spec.comment ?? '')
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(spec.zip64End ? 0xffff : declared, 8)
  end.writeUInt16LE(spec.zip64End ? 0xffff : declared, 10)
  end.writeUInt32LE(spec.zip64End ? 0xffffffff : length, 12)
  end.writeUInt32LE(spec.zip64End ? 0xffffffff : offset, 16)
  end.writeUInt16LE(comment.length, 20)
  const tail = [end, comment, Buffer.from(spec.trailing ?? [])]
  if (!spec.zip64End) return Buffer.concat(tail)
  const end64 = Buffer.alloc(56)
  end64.writeUInt32LE(0x06064b50, 0)
  end64.writeBigUInt64LE(44n, 4)
  end64.writeBigUInt64LE(BigInt(declared), 24)
  end64.writeBigUInt64LE(BigInt(declared), 32)
  end64.writeBigUInt64LE(BigInt(length), 40)
  end64.writeBigUInt64LE(BigInt(offset), 48)
  const locator = Buffer.alloc(20)
  locator.writeUInt32LE(0x07064b50, 0)
  locator.writeBigUInt64LE(BigInt(offset + length), 8)
  locator.writeUInt32LE(1, 16)
  return Buffer.concat([end64, locator, ...tail])
}
