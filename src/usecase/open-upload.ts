import { fileSource, type ByteSource } from '../container/index.ts'
import { AppError } from '../error.ts'
import type { UploadRow } from '../store/index.ts'
import { errnoOf } from './errno.ts'
import type { Platform } from './platform.ts'
import { removeSpoolFiles, spoolPath } from './spool.ts'
import { requireLocal } from './spooled-here.ts'

/** A complete upload and its bytes; dispose it to close the file. */
export interface OpenUpload extends AsyncDisposable {
  readonly row: UploadRow
  /** SHA-256 of the file. */
  readonly sha256: string
  readonly source: ByteSource
  /** Where the file lies. It does not change until it is consumed. */
  readonly path: string
}

/**
 * Opens an upload to import it.
 * @throws AppError NOT_FOUND when it never was, has expired or was imported already; CONFLICT while it is being received, or when another
 * server has its bytes.
 */
export async function openUpload(platform: Platform, uploadId: string): Promise<OpenUpload> {
  const { store, spoolDir, clock } = platform
  const row = await store.prisma.upload.findUnique({ where: { id: uploadId } })
  if (row === null || row.expiresAt < clock())
    throw new AppError(
      'NOT_FOUND',
      'there is no upload with this id: it was imported already, has expired, or never was; send the file again',
    )
  if (row.status !== 'COMPLETE' || row.sha256 === null)
    throw new AppError(
      'CONFLICT',
      `${row.fileName}: the upload is still being received; send the rest of it, or wait for its answer`,
    )
  await requireLocal(platform, row)
  const path = spoolPath(spoolDir, uploadId)
  const source = await openSpooled(path, row.fileName)
  return {
    row,
    sha256: row.sha256,
    source,
    path,
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  }
}

async function openSpooled(path: string, fileName: string): Promise<ByteSource & AsyncDisposable> {
  try {
    return await fileSource(path, fileName)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT')
      throw new AppError(
        'NOT_FOUND',
        `${fileName}: this server does not have the bytes of the upload; send the file again`,
        {
          cause: error,
        },
      )
    throw error
  }
}

/** Removes an upload that was imported. A failure here costs disk until the upload expires, never the import. */
export async function consumeUpload({ store, spoolDir, log }: Platform, uploadId: string): Promise<void> {
  const left = (error: unknown): void => {
    log.warn({ err: error, uploadId }, 'an imported upload is left to the sweep')
  }
  try {
    await store.prisma.upload.deleteMany({ where: { id: uploadId } })
    // A file of many GiB takes a while to go, and nobody has to wait for it.
    void removeSpoolFiles(spoolDir, uploadId).catch(left)
  } catch (error) {
    left(error)
  }
}
