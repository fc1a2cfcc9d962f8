import type { ContainerOptions } from './container-options.ts'

/** Limits of a zip file. Sizes in bytes. */
export interface ZipLimits {
  /** Entries of the central directory. */
  readonly maxEntries: number
  /** Bytes of the central directory, which is held in memory while it is parsed. */
  readonly maxDirectoryBytes: number
  /** Bytes of one name. */
  readonly maxNameBytes: number
  /** Bytes of an entry that is read into memory whole (`entryBytes`). */
  readonly maxEntryBytes: number
  /** Sum of the inflated sizes of all deflated entries. Stored entries are bounded by the file itself. */
  readonly maxInflatedBytes: number
  /** Inflated size over compressed size of an entry that inflates to more than `ratioFreeBytes`. Deflate reaches 1032. */
  readonly maxInflateRatio: number
  /** Entries up to this inflated size may have any ratio: zeros compress well. */
  readonly ratioFreeBytes: number
}

/** Generous for real files: half a million entries, 8 GiB of inflated data. */
export const DEFAULT_ZIP_LIMITS: ZipLimits = {
  maxEntries: 500_000,
  maxDirectoryBytes: 128 * 2 ** 20,
  maxNameBytes: 1024,
  maxEntryBytes: 64 * 2 ** 20,
  maxInflatedBytes: 8 * 2 ** 30,
  maxInflateRatio: 200,
  ratioFreeBytes: 64 * 2 ** 20,
}

/** Codes and limits for the zip readers. */
export type ZipOptions = ContainerOptions<ZipLimits>

/** One entry of a zip file whose local header was checked against the central directory. */
export interface ZipEntry {
  readonly name: string
  readonly method: 'stored' | 'deflated'
  /** Absolute byte of the payload in the file; for stored entries the data itself. */
  readonly offset: number
  /** Bytes of the payload in the file. */
  readonly compressedSize: number
  /** Bytes of the data. */
  readonly size: number
  /** CRC-32 of the data; 0 when the writer computed none. */
  readonly crc32: number
}
