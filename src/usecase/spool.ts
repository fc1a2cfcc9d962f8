import { open, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'

/** Where the bytes of a complete upload lie. */
export const spoolPath = (spoolDir: string, uploadId: string): string => join(spoolDir, uploadId)

/** Where the bytes of an upload lie while they come in. */
export const partialSpoolPath = (spoolDir: string, uploadId: string): string => join(spoolDir, `${uploadId}.part`)

/** The upload that a spool file belongs to; null for a file that is none of ours. */
export function uploadOfSpoolFile(fileName: string): string | null {
  return /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\.part)?$/.exec(fileName)?.[1] ?? null
}

/** Removes what an upload has in the spool, complete or not. */
export async function removeSpoolFiles(spoolDir: string, uploadId: string): Promise<void> {
  await rm(spoolPath(spoolDir, uploadId), { force: true })
  await rm(partialSpoolPath(spoolDir, uploadId), { force: true })
}

/** Bytes that are free to us on the spool's file system. */
export async function freeSpoolBytes(spoolDir: string): Promise<number> {
  const { bavail, bsize } = await statfs(spoolDir)
  return bavail * bsize
}

/** Makes a rename in the folder survive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
