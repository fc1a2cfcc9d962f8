import type { Readable } from 'node:stream'
import { DataStore, Upload } from '@tus/server'
import { AppError } from '../../../error.ts'
import {
  appendUpload,
  createUpload,
  deleteUpload,
  runningHashes,
  uploadState,
  type Platform,
  type UploadState,
} from '../../../usecase/index.ts'
import { decodeId, encodeId } from '../../object-id.ts'
import { patiently } from './patiently.ts'
import type { TusLocker } from './tus-locker.ts'

/**
 * The spool as the tus server wants it. It calls nothing of this without the lock of the upload; the rules are those of the use cases.
 * @param idleMs after which a client that sends nothing is cut off
 */
export class TusStore extends DataStore {
  readonly #platform: Platform
  readonly #locker: TusLocker
  readonly #idleMs: number
  readonly #hashes = runningHashes()

  constructor(platform: Platform, locker: TusLocker, idleMs: number) {
    super()
    this.extensions = ['creation', 'creation-with-upload', 'expiration', 'termination']
    this.#platform = platform
    this.#locker = locker
    this.#idleMs = idleMs
  }

  override async create(upload: Upload): Promise<Upload> {
    const { filename, sha256 } = upload.metadata ?? {}
    if (filename == null)
      throw new AppError('BAD_INPUT', 'name the file in Upload-Metadata: `filename` and its name in Base64')
    await createUpload(this.#platform, {
      id: decodeId('Upload', upload.id),
      fileName: filename,
      length: upload.size ?? NaN,
      sha256: sha256 ?? undefined,
    })
    return upload
  }

  override async getUpload(id: string): Promise<Upload> {
    return this.#describe(await uploadState(this.#platform, decodeId('Upload', id)))
  }

  override async write(stream: Readable, id: string, offset: number): Promise<number> {
    const uploadId = decodeId('Upload', id)
    // Were the stream destroyed when a write fails, the server would report that instead of the failure.
    const pieces = stream.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Uint8Array>
    const body = patiently(pieces, this.#idleMs, () => this.#locker.release(uploadId))
    const { bytes } = await appendUpload(this.#platform, this.#hashes, { uploadId, offset, body }, () =>
      this.#locker.heard(uploadId),
    )
    return bytes
  }

  override async remove(id: string): Promise<void> {
    await deleteUpload(this.#platform, { uploadId: decodeId('Upload', id), held: true })
  }

  override getExpiration(): number {
    return this.#platform.limits.uploadLifetimeMs
  }

  #describe({ row, bytes }: UploadState): Upload {
    return new Upload({
      id: encodeId('Upload', row.id),
      // A file that came by PUT without a length has one now.
      size: Number(row.length ?? row.bytes),
      offset: bytes,
      metadata: {
        filename: row.fileName,
        ...(row.announcedSha256 === null ? {} : { sha256: row.announcedSha256 }),
      },
      // The server adds the lifetime to this; with every byte, an upload lives on.
      creation_date: new Date(row.expiresAt.getTime() - this.getExpiration()).toISOString(),
    })
  }
}
