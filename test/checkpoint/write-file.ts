import { open } from 'node:fs/promises'
import { readLayout, type Checkpoint, type FileLayout, type LayoutSource } from '../../src/checkpoint/index.ts'

/** Reads storages from the file that a checkpoint was opened on. */
export const sourceOf = (checkpoint: Checkpoint): LayoutSource => ({
  checksums: [],
  async *read(ranges) {
    for (const { storage, offset, length } of ranges) yield* checkpoint.readStorage(storage, offset, length)
  },
})

/** Writes a layout into a file. */
export async function writeLayout(path: string, layout: FileLayout, source: LayoutSource): Promise<void> {
  const file = await open(path, 'w')
  try {
    for await (const piece of readLayout(layout, source)) await file.write(piece)
  } finally {
    await file.close()
  }
}
