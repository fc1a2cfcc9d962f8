import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { extract } from 'tar-stream'
import {
  checkRange,
  entryPieces,
  quoted,
  readPieces,
  readZipDirectory,
  type ByteSource,
  type ZipOptions,
} from '../container/index.ts'
import { AppError } from '../error.ts'
import type { DatasetLimits } from './dataset-limits.ts'
import type { Scratch, ScratchFile } from './scratch-file.ts'

/** A file in an archive. Its bytes can be read once, before the next file is asked for. */
export interface ArchiveEntry {
  /** With slashes, without a leading one. */
  readonly name: string
  readonly size: number
  pieces(): AsyncIterable<Uint8Array>
}

/** The files of a zip or tar, in its order; what operating systems leave in archives is passed over. */
export async function* archiveEntries(
  source: ByteSource,
  kind: 'zip' | 'tar',
  limits: DatasetLimits,
): AsyncGenerator<ArchiveEntry> {
  let count = 0
  for await (const entry of kind === 'zip' ? zipEntries(source, limits) : tarEntries(source)) {
    if (/(^|\/)(__MACOSX\/|\.DS_Store$|Thumbs\.db$|\._)/.test(entry.name)) continue
    if (++count > limits.maxArchiveEntries)
      throw new AppError('LIMIT_EXCEEDED', `${source.name} holds more than ${limits.maxArchiveEntries} files`)
    yield entry
  }
}

/** How zip files are read. */
export const zipOptions = ({ zip }: DatasetLimits): ZipOptions => ({
  corrupt: 'DATASET_CORRUPT',
  unsupported: 'DATASET_UNSUPPORTED',
  limits: zip,
})

/** Whether a zip is a file of torch.save. */
export const isTorchZip = (entries: readonly { readonly name: string }[]): boolean =>
  entries.some(({ name }) => name === 'data.pkl' || name.endsWith('/data.pkl'))

async function* zipEntries(source: ByteSource, limits: DatasetLimits): AsyncGenerator<ArchiveEntry> {
  const options = zipOptions(limits)
  for (const entry of await readZipDirectory(source, options))
    if (!entry.name.endsWith('/'))
      yield {
        name: entry.name.replace(/^\.?\//, ''),
        size: entry.size,
        pieces: () => entryPieces(source, entry, options),
      }
}

async function* tarEntries(source: ByteSource): AsyncGenerator<ArchiveEntry> {
  const unpack = extract()
  const feed = Readable.from(readPieces(source, 0, source.size))
  feed.on('error', (error) => unpack.destroy(error))
  feed.pipe(unpack)
  try {
    for await (const entry of unpack) {
      const { name, type, size } = entry.header
      // Links and devices are no data.
      if (type === 'file' || type === 'contiguous-file')
        yield { name: name.replace(/^\.?\//, ''), size, pieces: () => entry as AsyncIterable<Uint8Array> }
      entry.resume()
    }
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError(
      'DATASET_CORRUPT',
      `${source.name} cannot be read as tar: ${quoted((error as Error).message, 200)}`,
    )
  } finally {
    feed.destroy()
  }
}

/** Bytes in a scratch file as a source. */
export const scratchSource = (name: string, file: ScratchFile): ByteSource => ({
  name,
  size: file.size(),
  async read(offset, length, into) {
    checkRange(name, file.size(), offset, length)
    const bytes = into !== undefined && into.length >= length ? into.subarray(0, length) : new Uint8Array(length)
    await file.read(offset, bytes)
    return bytes
  },
})

/**
 * Copies bytes to a scratch file.
 * @throws AppError LIMIT_EXCEEDED when there are more than `limit`.
 */
export async function spill(
  name: string,
  pieces: AsyncIterable<Uint8Array>,
  scratch: Scratch,
  limit: number,
): Promise<ByteSource> {
  const file = scratch.file()
  for await (const piece of pieces) {
    if (file.size() + piece.length > limit)
      throw new AppError('LIMIT_EXCEEDED', `${name} unpacks to more than ${limit} bytes`)
    await file.append(piece)
  }
  return scratchSource(name, file)
}

/**
 * A file of gzip, unpacked.
 * @throws AppError DATASET_CORRUPT, LIMIT_EXCEEDED.
 */
export async function gunzipped(source: ByteSource, scratch: Scratch, limits: DatasetLimits): Promise<ByteSource> {
  return await spill(
    unpackedName(source.name),
    unzipped(source.name, readPieces(source, 0, source.size)),
    scratch,
    limits.maxUnpackedBytes,
  )
}

/** `a.csv.gz` → `a.csv`, `a.tgz` → `a.tar`. */
export const unpackedName = (name: string): string => name.replace(/\.tgz$/i, '.tar').replace(/\.gz$/i, '')

/** Bytes of gzip, unpacked. */
export async function* unzipped(name: string, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const feed = Readable.from(pieces)
  const gunzip = createGunzip()
  feed.on('error', (error) => gunzip.destroy(error))
  feed.pipe(gunzip)
  try {
    for await (const piece of gunzip) yield piece as Uint8Array
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError('DATASET_CORRUPT', `${name} cannot be unpacked: ${(error as Error).message}`)
  } finally {
    feed.destroy()
  }
}
