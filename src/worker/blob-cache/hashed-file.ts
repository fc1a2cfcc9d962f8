import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'

/** Writes pieces to a new file and returns the SHA-256 of what was written. The caller removes the file when this throws. */
export async function writeHashed(
  path: string,
  pieces: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<string> {
  const hash = createHash('sha256')
  const file = await open(path, 'wx')
  try {
    for await (const piece of pieces) {
      signal?.throwIfAborted()
      hash.update(piece)
      for (let at = 0; at < piece.byteLength;) at += (await file.write(piece, at)).bytesWritten
    }
  } finally {
    await file.close()
  }
  return hash.digest('hex')
}

/** SHA-256 of a file. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece as Uint8Array)
  return hash.digest('hex')
}
