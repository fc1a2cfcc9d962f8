import { AppError } from '../error.ts'
import { discardUpload } from './finish-upload.ts'
import { holdUpload } from './hold-upload.ts'
import type { Platform } from './platform.ts'

/** What names an upload. */
export interface DeleteUploadInput {
  readonly uploadId: string
  /** Whether the caller holds it already. */
  readonly held?: boolean
}

/**
 * Removes an upload, complete or not. Bytes in the spool of another server go with that server's next sweep.
 * @throws AppError NOT_FOUND; CONFLICT while bytes of it are coming in.
 */
export async function deleteUpload(platform: Platform, { uploadId, held = false }: DeleteUploadInput): Promise<void> {
  await using _hold = held ? null : await holdUpload(platform, uploadId)
  const row = await platform.store.prisma.upload.findUnique({ where: { id: uploadId }, select: { id: true } })
  if (row === null)
    throw new AppError(
      'NOT_FOUND',
      'there is no upload with this id: it was imported or deleted already, or has expired',
    )
  await discardUpload(platform, uploadId)
}
