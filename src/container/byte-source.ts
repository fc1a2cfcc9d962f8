import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { AppError } from '../error.ts'

/**
 * Bytes that are read by ranges, so that a file of many GiB never has to be in memory.
 * `name` is what the user calls the file; messages quote it.
 */
export interface ByteSource {
  readonly name: string
  /** Length in bytes. */
  readonly size: number
  /**
   * Exactly `length` bytes from `offset`; in `into`, from its beginning, when that is long enough and the source does not have them in memory.
   * @throws RangeError when the range is not inside the source: readers check declared sizes first.
   */
  read(offset: number, length: number, into?: Uint8Array): Promise<Uint8Array>
}

/** A file as a byte source; dispose it to close the file. */
export async function fileSource(path: string, name = basename(path)): Promise<ByteSource & AsyncDisposable> {
  const file = await open(path, 'r')
  const { size } = await file.stat()
  return {
    name,
    size,
    async read(offset, length, into) {
      checkRange(name, size, offset, length)
      const bytes = into !== undefined && into.length >= length ? into.subarray(0, length) : new Uint8Array(length)
      let done = 0
      while (done < length) {
        const { bytesRead } = await file.read(bytes, done, length - done, offset + done)
        // The file was cut after it was opened.
        if (bytesRead === 0)
          throw new AppError('UPLOAD_INCOMPLETE', `${name}: ends at byte ${offset + done}, ${size} were expected`)
        done += bytesRead
      }
      return bytes
    },
    async [Symbol.asyncDispose]() {
      await file.close()
    },
  }
}

/** Bytes in memory as a byte source. Reads are views, not copies. */
export function bytesSource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.byteLength,
    read(offset, length) {
      checkRange(name, bytes.byteLength, offset, length)
      return Promise.resolve(bytes.subarray(offset, offset + length))
    },
  }
}

/** Bytes of a piece. */
export const PIECE_BYTES: number = 2 ** 20

/**
 * A range of a source in pieces of at most 1 MiB, in order.
 * @param into memory for one piece, to be used again and again: then each piece is good until the next one is asked for.
 */
export async function* readPieces(
  source: ByteSource,
  offset: number,
  length: number,
  into?: Uint8Array,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < length; at += PIECE_BYTES)
    yield await source.read(offset + at, Math.min(PIECE_BYTES, length - at), into)
}

/** @throws RangeError when a range is not inside a source. */
export function checkRange(name: string, size: number, offset: number, length: number): void {
  if (!(offset >= 0 && length >= 0 && offset + length <= size))
    throw new RangeError(`${name}: bytes ${offset}..${offset + length} are outside of 0..${size}`)
}
