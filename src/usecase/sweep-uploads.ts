import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { SCRATCH_PREFIX } from '../dataset/index.ts'
import { tryHoldUpload } from './hold-upload.ts'
import type { Platform } from './platform.ts'
import { removeSpoolFiles, uploadOfSpoolFile } from './spool.ts'

/** What a sweep removed. */
export interface SweptUploads {
  /** Uploads that expired, or whose sender or server died while they were received. */
  readonly expired: number
  /** Files of the spool that no upload names. */
  readonly orphans: number
}

/**
 * Removes uploads whose time is over and spool files that belong to none. Called at start and from time to time; safe to run in
 * several processes at once, and while uploads come in: an upload that is being received keeps moving its end.
 */
export async function sweepUploads(platform: Platform): Promise<SweptUploads> {
  const { store, spoolDir, clock, limits } = platform
  const now = clock()
  const over = await store.prisma.upload.findMany({ where: { expiresAt: { lt: now } }, select: { id: true } })
  let expired = 0
  for (const { id } of over) {
    // Somebody resumes it at the last moment.
    await using hold = await tryHoldUpload(platform, id)
    if (hold === null) continue
    // The row goes first: whoever finds it finds its bytes.
    await store.prisma.upload.deleteMany({ where: { id, expiresAt: { lt: now } } })
    await removeSpoolFiles(spoolDir, id)
    expired++
  }

  await mkdir(spoolDir, { recursive: true })
  const files = new Map<string, string>()
  for (const name of await readdir(spoolDir)) {
    const id = uploadOfSpoolFile(name)
    if (id !== null) files.set(name, id)
  }
  const known = new Set(
    (await store.prisma.upload.findMany({ where: { id: { in: [...files.values()] } }, select: { id: true } })).map(
      ({ id }) => id,
    ),
  )
  await sweepScratch(spoolDir, now)
  let orphans = 0
  for (const [name, id] of files) {
    if (known.has(id)) continue
    const facts = await stat(join(spoolDir, name)).catch(() => null)
    // A young file may belong to a row that another process is just deleting together with it.
    if (facts === null || now.getTime() - facts.mtimeMs < limits.uploadIdleMs) continue
    await removeSpoolFiles(spoolDir, id)
    orphans++
  }
  return { expired, orphans }
}

/** Scratch folders that an import left when its server was killed; an import does not take so long. */
async function sweepScratch(spoolDir: string, now: Date): Promise<void> {
  for (const name of await readdir(spoolDir)) {
    if (!name.startsWith(SCRATCH_PREFIX)) continue
    const facts = await stat(join(spoolDir, name)).catch(() => null)
    if (facts !== null && now.getTime() - facts.mtimeMs > SCRATCH_MS)
      await rm(join(spoolDir, name), { recursive: true, force: true })
  }
}

const SCRATCH_MS = 7 * 24 * 3600_000
