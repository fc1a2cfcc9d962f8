import { rename, type FileHandle } from 'node:fs/promises'
import { AppError } from '../error.ts'
import type { UploadRow } from '../store/index.ts'
import type { Platform } from './platform.ts'
import type { RunningHash } from './running-hash.ts'
import { partialSpoolPath, removeSpoolFiles, spoolPath, syncFolder } from './spool.ts'
import { diskError } from './write-upload.ts'

/**
 * Completes an upload whose bytes are all there: compares the hash, brings the bytes to disk under their final name, and then says so in
 * the row.
 * @param file open on the spool file, and still open afterwards
 * @throws AppError UPLOAD_INCOMPLETE when the bytes have another hash than announced; LIMIT_EXCEEDED when the disk is full.
 */
export async function finishUpload(
  platform: Platform,
  row: UploadRow,
  file: FileHandle,
  bytes: number,
  hash: RunningHash,
): Promise<UploadRow> {
  const { spoolDir } = platform
  const sha256 = await hash.digest(file, bytes)
  if (row.announcedSha256 !== null && row.announcedSha256 !== sha256)
    throw new WrongHash(
      `${row.fileName}: the ${bytes} bytes that arrived have SHA-256 ${sha256}, ` +
        `${row.announcedSha256} was announced; send the file again`,
    )
  await file.sync().catch((error: unknown) => {
    throw diskError(error, row.fileName)
  })
  await rename(partialSpoolPath(spoolDir, row.id), spoolPath(spoolDir, row.id))
  await syncFolder(spoolDir)
  return await completeRow(platform, row.id, bytes, sha256)
}

/** Says in the row that the bytes lie under their final name. */
export async function completeRow(
  { store, clock, limits }: Platform,
  id: string,
  bytes: number,
  sha256: string,
): Promise<UploadRow> {
  return await store.prisma.upload.update({
    where: { id },
    data: {
      status: 'COMPLETE',
      bytes: BigInt(bytes),
      reserved: BigInt(bytes),
      sha256,
      expiresAt: new Date(clock().getTime() + limits.uploadLifetimeMs),
    },
  })
}

/** All bytes came, and they are others than announced: no more of them would help. */
export class WrongHash extends AppError {
  constructor(message: string) {
    super('UPLOAD_INCOMPLETE', message)
  }
}

/** Removes what there is of an upload. A failure here costs disk until the sweep. */
export async function discardUpload({ store, spoolDir, log }: Platform, id: string): Promise<void> {
  try {
    await store.prisma.upload.deleteMany({ where: { id } })
    await removeSpoolFiles(spoolDir, id)
  } catch (error) {
    log.error({ err: error, uploadId: id }, 'a discarded upload is left to the sweep')
  }
}
