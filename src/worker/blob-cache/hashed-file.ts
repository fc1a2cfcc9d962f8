import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'

/**
 * Writes pieces to an empty file and returns the SHA-256 of what was written. A piece is hashed while it is written.
 * @param onWritten gets the number of bytes that can be read from the file.
 */
export async function writeHashed(
  file: FileHandle,
  pieces: AsyncIterable<Uint8Array>,
  onWritten: (bytes: number) => void,
  signal?: AbortSignal,
): Promise<string> {
  const hash = createHash('sha256')
  let written = 0
  for await (const piece of pieces) {
    signal?.throwIfAborted()
    const writing = writeWhole(file, piece)
    hash.update(piece)
    await writing
    written += piece.byteLength
    onWritten(written)
  }
  return hash.digest('hex')
}

async function writeWhole(file: FileHandle, piece: Uint8Array): Promise<void> {
  for (let at = 0; at < piece.byteLength;) at += (await file.write(piece, at)).bytesWritten
}

/** SHA-256 of a file. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece as Uint8Array)
  return hash.digest('hex')
}
