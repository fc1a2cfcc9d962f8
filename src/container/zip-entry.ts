import { pipeline } from 'node:stream/promises'
import { crc32, createInflateRaw } from 'node:zlib'
import { readPieces, type ByteSource } from './byte-source.ts'
import { refusals, type Refusals } from './container-options.ts'
import { quoted } from './quote.ts'
import { DEFAULT_ZIP_LIMITS, type ZipEntry, type ZipOptions } from './zip-limits.ts'

/** What to do with data whose CRC-32 is not the declared one. */
export interface EntryPiecesOptions extends ZipOptions {
  /**
   * Called once, after the last piece, instead of throwing `corrupt`. PyTorch never checks CRCs and can be told to write
   * none, so a checkpoint warns. An entry whose declared CRC is 0 is not checked.
   */
  readonly onCrcMismatch?: (message: string) => void
  /** Memory for a piece of a stored entry, as `readPieces` takes it. */
  readonly into?: Uint8Array | undefined
}

/**
 * The data of an entry in pieces of at most 1 MiB, inflated while it streams; never more than the declared size.
 * @throws AppError `corrupt` when the data has another size or CRC than declared, or does not inflate.
 */
export async function* entryPieces(
  source: ByteSource,
  entry: ZipEntry,
  options: EntryPiecesOptions,
): AsyncGenerator<Uint8Array> {
  const refuse = refusals(source, options)
  const pieces =
    entry.method === 'stored'
      ? readPieces(source, entry.offset, entry.compressedSize, options.into)
      : inflatedPieces(source, entry, refuse)
  let crc = 0
  for await (const piece of pieces) {
    if (entry.crc32 !== 0) crc = crc32(piece, crc)
    yield piece
  }
  if (entry.crc32 === 0 || crc === entry.crc32) return
  const message = `${quoted(entry.name)} has CRC-32 ${hex(crc)}, the zip directory says ${hex(entry.crc32)}: its bytes were changed or damaged after it was written`
  if (!options.onCrcMismatch) throw refuse.corrupt(message)
  options.onCrcMismatch(`${source.name}: ${message}`)
}

/**
 * The whole data of a small entry.
 * @throws AppError as `entryPieces`, and LIMIT_EXCEEDED before anything is allocated when it exceeds `maxEntryBytes`.
 */
export async function entryBytes(
  source: ByteSource,
  entry: ZipEntry,
  options: EntryPiecesOptions,
): Promise<Uint8Array> {
  const { maxEntryBytes } = options.limits ?? DEFAULT_ZIP_LIMITS
  if (entry.size > maxEntryBytes)
    throw refusals(source, options).limit(
      `${quoted(entry.name)} has ${entry.size} bytes, the limit is ${maxEntryBytes}`,
    )
  const bytes = new Uint8Array(entry.size)
  let at = 0
  for await (const piece of entryPieces(source, entry, options)) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}

async function* inflatedPieces(source: ByteSource, entry: ZipEntry, refuse: Refusals): AsyncGenerator<Uint8Array> {
  const inflate = createInflateRaw({ chunkSize: 1 << 18 })
  // Its failure surfaces in the loop below, because pipeline destroys the stream with the error.
  const feeding = pipeline(readPieces(source, entry.offset, entry.compressedSize), inflate).catch(() => undefined)
  let done = 0
  try {
    for await (const piece of inflate as AsyncIterable<Uint8Array>) {
      done += piece.length
      if (done > entry.size)
        throw refuse.corrupt(`${quoted(entry.name)} inflates to more than the ${entry.size} bytes that are declared`)
      yield piece
    }
  } catch (error) {
    if (isZlibError(error)) throw refuse.corrupt(`${quoted(entry.name)} does not inflate: ${error.message}`, error)
    throw error
  } finally {
    inflate.destroy()
    await feeding
  }
  if (done !== entry.size)
    throw refuse.corrupt(`${quoted(entry.name)} inflates to ${done} bytes, ${entry.size} are declared`)
  if (inflate.bytesWritten !== entry.compressedSize)
    throw refuse.corrupt(
      `${quoted(entry.name)}: the compressed data ends after ${inflate.bytesWritten} of ${entry.compressedSize} bytes`,
    )
}

/** By its code, not by its class: the stream may come from another realm. */
const isZlibError = (error: unknown): error is Error & { code: string } =>
  typeof error === 'object' && error !== null && 'code' in error && String(error.code).startsWith('Z_')

const hex = (crc: number): string => crc.toString(16).padStart(8, '0')
