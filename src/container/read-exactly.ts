import type { FileHandle } from 'node:fs/promises'

/**
 * Fills `into` from a position of a file.
 * @throws Error when the file ends before: these files are our own copies, whose length was checked when they were made.
 */
export async function readExactly(file: FileHandle, into: Uint8Array, position: number, name: string): Promise<void> {
  for (let at = 0; at < into.byteLength;) {
    const { bytesRead } = await file.read(into, at, into.byteLength - at, position + at)
    if (bytesRead === 0)
      throw new Error(`${name}: ends at byte ${position + at}, ${into.byteLength} bytes from ${position} were expected`)
    at += bytesRead
  }
}
