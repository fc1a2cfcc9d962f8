import { open } from 'node:fs/promises'
import type { UploadRow } from '../store/index.ts'
import { checkFileName, checkLength, checkSha256 } from './check-upload.ts'
import { discardUpload, finishUpload } from './finish-upload.ts'
import { holdUpload } from './hold-upload.ts'
import type { Platform } from './platform.ts'
import { reserveSpool } from './reserve-spool.ts'
import { runningHash } from './running-hash.ts'
import { partialSpoolPath } from './spool.ts'
import { timeOrderedId } from './time-ordered-id.ts'
import { nextReservation, writeUpload } from './write-upload.ts'
import { AppError } from '../error.ts'

/** What comes with a file that is sent in one go. */
export interface ReceiveUploadInput {
  readonly fileName: string
  /** Not asked for before everything that can be refused was refused. */
  readonly body: AsyncIterable<Uint8Array>
  /** Lower- or upper-case hex. */
  readonly expectedSha256?: string | undefined
  /** Length that the client announced, in bytes. */
  readonly expectedBytes?: number | undefined
  /** Aborted when the client is gone. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Streams a file to the spool. The upload is COMPLETE only when its bytes are on disk under their final name; whatever goes wrong
 * before, neither row nor file is left.
 * @throws AppError BAD_INPUT, LIMIT_EXCEEDED, UPLOAD_INCOMPLETE.
 */
export async function receiveUpload(platform: Platform, input: ReceiveUploadInput): Promise<UploadRow> {
  const { spoolDir, clock, limits } = platform
  const { body, expectedBytes } = input
  const fileName = checkFileName(input.fileName)
  const announcedSha256 = checkSha256(input.expectedSha256)
  if (expectedBytes !== undefined) checkLength(platform, fileName, expectedBytes)

  const id = timeOrderedId(clock())
  await using hold = await holdUpload(platform, id)
  // The row comes first: a file without one is swept, a row without its file is merely expired.
  const row = await reserveSpool(platform, {
    id,
    fileName,
    length: expectedBytes ?? null,
    announcedSha256,
    resumable: false,
    expiresAt: new Date(clock().getTime() + limits.uploadIdleMs),
    reserved: expectedBytes ?? nextReservation(0),
  })
  const signal = input.signal === undefined ? hold.lost : AbortSignal.any([input.signal, hold.lost])
  try {
    await using file = await open(partialSpoolPath(spoolDir, id), 'wx+', 0o600)
    const hash = runningHash()
    const bytes = await writeUpload(platform, { row, file, offset: 0, hash, body, signal })
    if (expectedBytes !== undefined && bytes !== expectedBytes)
      throw new AppError('UPLOAD_INCOMPLETE', `${fileName}: ${bytes} bytes arrived, ${expectedBytes} were announced`)
    return await finishUpload(platform, row, file, bytes, hash)
  } catch (error) {
    await discardUpload(platform, id)
    throw error
  }
}
