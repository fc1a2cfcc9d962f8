import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, rename, type FileHandle } from 'node:fs/promises'
import { AppError } from '../error.ts'
import type { UploadRow } from '../store/index.ts'
import { abortedOf } from './aborted.ts'
import { checkAnnounced, checkFileName, checkFree, checkSha256, tooLarge } from './check-upload.ts'
import type { Platform } from './platform.ts'
import { partialSpoolPath, removeSpoolFiles, spoolPath, syncFolder } from './spool.ts'
import { errnoOf } from './errno.ts'

/** What comes with an uploaded file. */
export interface ReceiveUploadInput {
  readonly fileName: string
  readonly body: AsyncIterable<Uint8Array>
  /** Lower- or upper-case hex. */
  readonly expectedSha256?: string | undefined
  /** Length that the client announced, in bytes. */
  readonly expectedBytes?: number | undefined
  /** Aborted when the client is gone. */
  readonly signal?: AbortSignal | undefined
}

/** Bytes after which the free space is looked at again. */
const FREE_SPACE_CHECK_BYTES = 64 * 2 ** 20

/** Milliseconds between two signs of life of an upload that is being received. */
const TOUCH_MS = 30_000

/**
 * Streams a file to the spool: each piece is hashed and written before the next is asked for, so that memory stays bounded
 * and a slow disk slows the sender. The upload is COMPLETE only when its bytes are on disk under their final name; whatever goes
 * wrong before, neither row nor file is left.
 * @throws AppError BAD_INPUT, LIMIT_EXCEEDED, UPLOAD_INCOMPLETE.
 */
export async function receiveUpload(platform: Platform, input: ReceiveUploadInput): Promise<UploadRow> {
  const { store, spoolDir, clock, limits, log } = platform
  const fileName = checkFileName(input.fileName)
  const expectedSha256 = checkSha256(input.expectedSha256)
  await mkdir(spoolDir, { recursive: true })
  await checkAnnounced(platform, fileName, input.expectedBytes)

  const id = randomUUID()
  const aliveUntil = () => new Date(clock().getTime() + limits.uploadIdleMs)
  // The row comes first: a file without one is swept, a row without its file is merely expired.
  await store.prisma.upload.create({ data: { id, fileName, expiresAt: aliveUntil() } })
  try {
    const partial = partialSpoolPath(spoolDir, id)
    const file = await open(partial, 'wx', 0o600)
    let received: Received
    try {
      received = await writeBody(platform, file, fileName, input, () =>
        store.prisma.upload.update({ where: { id }, data: { expiresAt: aliveUntil() } }),
      )
      if (expectedSha256 !== null && received.sha256 !== expectedSha256)
        throw new AppError(
          'UPLOAD_INCOMPLETE',
          `${fileName}: the ${received.bytes} bytes that arrived have SHA-256 ${received.sha256}, ` +
            `${expectedSha256} was announced; send the file again`,
        )
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(partial, spoolPath(spoolDir, id))
    await syncFolder(spoolDir)
    return await store.prisma.upload.update({
      where: { id },
      data: {
        status: 'COMPLETE',
        bytes: BigInt(received.bytes),
        sha256: received.sha256,
        expiresAt: new Date(clock().getTime() + limits.uploadLifetimeMs),
      },
    })
  } catch (error) {
    await removeSpoolFiles(spoolDir, id)
    await store.prisma.upload
      .deleteMany({ where: { id } })
      .catch((cause: unknown) =>
        log.error({ err: cause, uploadId: id }, 'the row of a failed upload is left to the sweep'),
      )
    throw error
  }
}

interface Received {
  readonly bytes: number
  readonly sha256: string
}

async function writeBody(
  platform: Platform,
  file: FileHandle,
  fileName: string,
  { body, expectedBytes, signal }: ReceiveUploadInput,
  touch: () => Promise<unknown>,
): Promise<Received> {
  const { clock, limits } = platform
  const hash = createHash('sha256')
  let bytes = 0
  let checkedAt = 0
  let touchedAt = clock().getTime()
  const iterator = body[Symbol.asyncIterator]()
  try {
    for (;;) {
      const { done, value: piece } = await nextPiece(iterator, fileName, bytes, signal)
      if (done) break
      bytes += piece.byteLength
      if (expectedBytes !== undefined && bytes > expectedBytes)
        throw new AppError('UPLOAD_INCOMPLETE', `${fileName}: more than the ${expectedBytes} announced bytes arrived`)
      if (bytes > limits.uploadBytes) throw tooLarge(platform, fileName, `more than ${limits.uploadBytes}`)
      if (bytes - checkedAt >= FREE_SPACE_CHECK_BYTES) {
        await checkFree(platform, fileName, 0)
        checkedAt = bytes
      }
      hash.update(piece)
      await writePiece(file, fileName, piece)
      if (clock().getTime() - touchedAt >= TOUCH_MS) {
        await touch()
        touchedAt = clock().getTime()
      }
    }
  } finally {
    // Not awaited: an iterator whose `next` hangs answers `return` only after it.
    iterator.return?.().catch(() => undefined)
  }
  if (expectedBytes !== undefined && bytes !== expectedBytes)
    throw new AppError('UPLOAD_INCOMPLETE', `${fileName}: ${bytes} bytes arrived, ${expectedBytes} were announced`)
  return { bytes, sha256: hash.digest('hex') }
}

/** The next piece of the body; a failure of the connection is the client's, not ours. */
async function nextPiece(
  iterator: AsyncIterator<Uint8Array>,
  fileName: string,
  bytes: number,
  signal: AbortSignal | undefined,
): Promise<IteratorResult<Uint8Array, unknown>> {
  const cut = (cause: unknown) =>
    new AppError('UPLOAD_INCOMPLETE', `${fileName}: the connection ended after ${bytes} bytes; send the file again`, {
      cause,
    })
  const aborted = abortedOf(signal)
  try {
    return await (aborted === null ? iterator.next() : Promise.race([iterator.next(), aborted.promise]))
  } catch (error) {
    throw error instanceof AppError ? error : cut(error)
  } finally {
    aborted?.[Symbol.dispose]()
  }
}

async function writePiece(file: FileHandle, fileName: string, piece: Uint8Array): Promise<void> {
  try {
    for (let at = 0; at < piece.byteLength;) at += (await file.write(piece, at)).bytesWritten
  } catch (error) {
    if (errnoOf(error) === 'ENOSPC' || errnoOf(error) === 'EDQUOT')
      throw new AppError(
        'LIMIT_EXCEEDED',
        `${fileName}: the spool folder is full; free some space or set another folder`,
        {
          cause: error,
        },
      )
    throw error
  }
}
