import { AppError } from '../error.ts'
import { openUpload, type OpenUpload } from './open-upload.ts'
import type { Platform } from './platform.ts'

/** The uploaded shards of a checkpoint; dispose them to close the files. */
export interface OpenShards extends AsyncDisposable {
  readonly uploads: readonly OpenUpload[]
}

/**
 * Opens the uploads of a sharded checkpoint: all of them, or none.
 * @throws AppError LIMIT_EXCEEDED, and as `openUpload`.
 */
export async function openShards(platform: Platform, uploadIds: readonly string[]): Promise<OpenShards> {
  const { maxShards } = platform.limits.checkpoint.sharded
  if (uploadIds.length > maxShards)
    throw new AppError('LIMIT_EXCEEDED', `${uploadIds.length} shards were given, the limit is ${maxShards}`)
  const uploads: OpenUpload[] = []
  const close = async (): Promise<void> => {
    for (const upload of uploads) await upload[Symbol.asyncDispose]()
  }
  try {
    for (const id of uploadIds) uploads.push(await openUpload(platform, id))
  } catch (error) {
    await close()
    throw error
  }
  return { uploads, [Symbol.asyncDispose]: close }
}
