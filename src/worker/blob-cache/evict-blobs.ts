import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { CacheLayout } from './cache-layout.ts'

interface Blob {
  readonly path: string
  readonly size: number
  readonly usedMs: number
  readonly inUse: boolean
}

/**
 * Removes the blobs that were used least recently until `neededBytes` more fit under `maxBytes`. What is in use stays, also when
 * that is too much: a run needs what it needs.
 */
export async function evictBlobs(layout: CacheLayout, maxBytes: number, neededBytes: number): Promise<void> {
  const blobs = await listBlobs(layout)
  let total = neededBytes
  for (const { size } of blobs) total += size
  if (total <= maxBytes) return
  for (const blob of blobs.sort((a, b) => a.usedMs - b.usedMs)) {
    if (total <= maxBytes) return
    if (blob.inUse) continue
    await rm(blob.path, { force: true })
    total -= blob.size
  }
}

async function listBlobs({ blobs }: CacheLayout): Promise<Blob[]> {
  const found: Blob[] = []
  // What is gone was removed by another process, or by a person.
  const list = (path: string) => readdir(path).catch(() => [])
  for (const folder of await list(blobs))
    for (const name of await list(join(blobs, folder))) {
      const path = join(blobs, folder, name)
      const facts = await stat(path).catch(() => null)
      // More than one link: a lease has it.
      if (facts !== null) found.push({ path, size: facts.size, usedMs: facts.atimeMs, inUse: facts.nlink > 1 })
    }
  return found
}
