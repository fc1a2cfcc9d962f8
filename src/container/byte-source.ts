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
   * Exactly `length` bytes from `offset`.
   * @throws RangeError when the range is not inside the source: readers check declared sizes first.
   */
  read(offset: number, length: number): Promise<Uint8Array>
}

/** A file as a byte source; dispose it to close the file. */
export async function fileSource(path: string, name = basename(path)): Promise<ByteSource & AsyncDisposable> {
  const file = await open(path, 'r')
  const { size } = await file.stat()
  return {
    name,
    size,
    async read(offset, length) {
      checkRange(name, size, offset, length)
      const bytes = new Uint8Array(length)
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

/** A range of a source in pieces of at most `pieceBytes`, in order. */
export async function* readPieces(
  source: ByteSource,
  offset: number,
  length: number,
  pieceBytes = 1 << 20,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < length; at += pieceBytes)
    yield await source.read(offset + at, Math.min(pieceBytes, length - at))
}

function checkRange(name: string, size: number, offset: number, length: number): void {
  if (!(offset >= 0 && length >= 0 && offset + length <= size))
    throw new RangeError(`${name}: bytes ${offset}..${offset + length} are outside of 0..${size}`)
}
