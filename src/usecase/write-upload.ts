import type { FileHandle } from 'node:fs/promises'
import { AppError } from '../error.ts'
import type { UploadRow } from '../store/index.ts'
import { abortedOf } from './aborted.ts'
import { tooLarge } from './check-upload.ts'
import { errnoOf } from './errno.ts'
import type { Platform } from './platform.ts'
import { growReservation } from './reserve-spool.ts'
import type { RunningHash } from './running-hash.ts'

/** Milliseconds between two signs of life of an upload that is being received. */
const TOUCH_MS = 2_000

/** Bytes by which the reservation of an upload grows that did not say how long it is: at first, at most. */
const RESERVE_BYTES = { first: 2 ** 20, most: 64 * 2 ** 20 }

/** What an upload that did not say how long it is reserves next. */
export const nextReservation = (reserved: number): number =>
  reserved + Math.min(Math.max(reserved, RESERVE_BYTES.first), RESERVE_BYTES.most)

/** Bytes on their way into the spool. */
export interface UploadBytes {
  readonly row: UploadRow
  readonly file: FileHandle
  /** Where in the file they begin. */
  readonly offset: number
  readonly hash: RunningHash
  readonly body: AsyncIterable<Uint8Array>
  /** Aborted when no more are to be taken. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Writes bytes to an upload's file: each piece is hashed and written before the next is asked for, so that memory stays bounded and a slow
 * disk slows the sender. From time to time the row learns how far it is, and lives on.
 * @param written told the length of the file after each piece
 * @returns the length of the file
 * @throws AppError UPLOAD_INCOMPLETE when the connection broke or more came than was announced; LIMIT_EXCEEDED.
 */
export async function writeUpload(
  platform: Platform,
  { row, file, offset, hash, body, signal }: UploadBytes,
  written: (length: number) => void = () => undefined,
): Promise<number> {
  const { clock, limits } = platform
  const { fileName } = row
  const length = row.length === null ? null : Number(row.length)
  let reserved = Number(row.reserved)
  let bytes = offset
  let touchedAt = clock().getTime()
  const iterator = body[Symbol.asyncIterator]()
  try {
    for (;;) {
      const { done, value: piece } = await nextPiece(iterator, fileName, bytes, signal)
      if (done) return bytes
      const end = bytes + piece.byteLength
      if (length !== null && end > length)
        throw new AppError('UPLOAD_INCOMPLETE', `${fileName}: more than the ${length} announced bytes arrived`)
      if (end > limits.uploadBytes) throw tooLarge(platform, fileName, `more than ${limits.uploadBytes}`)
      while (length === null && end > reserved) {
        reserved = nextReservation(reserved)
        await growReservation(platform, row, bytes, reserved)
      }
      await writePiece(file, fileName, piece, bytes, hash)
      bytes = end
      written(bytes)
      if (Math.abs(clock().getTime() - touchedAt) >= TOUCH_MS) {
        touchedAt = clock().getTime()
        await touchUpload(platform, row, bytes)
      }
    }
  } finally {
    // Not awaited: an iterator whose `next` hangs answers `return` only after it.
    iterator.return?.().catch(() => undefined)
  }
}

/** Says how far an upload is, and that it is not abandoned. */
export async function touchUpload(
  { store, clock, limits }: Platform,
  { id, resumable }: Pick<UploadRow, 'id' | 'resumable'>,
  bytes: number,
): Promise<void> {
  const lifetime = resumable ? limits.uploadLifetimeMs : limits.uploadIdleMs
  await store.prisma.upload.updateMany({
    where: { id, status: 'RECEIVING' },
    data: { bytes: BigInt(bytes), expiresAt: new Date(clock().getTime() + lifetime) },
  })
}

/** The next piece of the body; a failure of the connection is the client's, not ours. */
async function nextPiece(
  iterator: AsyncIterator<Uint8Array>,
  fileName: string,
  bytes: number,
  signal: AbortSignal | undefined,
): Promise<IteratorResult<Uint8Array, unknown>> {
  const aborted = abortedOf(signal)
  try {
    return await (aborted === null ? iterator.next() : Promise.race([iterator.next(), aborted.promise]))
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError(
      'UPLOAD_INCOMPLETE',
      `${fileName}: the connection ended after ${bytes} bytes; send the file again`,
      { cause: error },
    )
  } finally {
    aborted?.[Symbol.dispose]()
  }
}

/** Hashes the piece while it is being written, which another thread does. */
async function writePiece(
  file: FileHandle,
  fileName: string,
  piece: Uint8Array,
  offset: number,
  hash: RunningHash,
): Promise<void> {
  const writing = writeAll(file, piece, offset)
  // Awaited below.
  writing.catch(() => undefined)
  const isHashed = hash.add(offset, piece)
  try {
    await writing
  } catch (error) {
    throw diskError(error, fileName)
  }
  if (!isHashed) await hash.follow(file, offset + piece.byteLength)
}

async function writeAll(file: FileHandle, piece: Uint8Array, offset: number): Promise<void> {
  for (let at = 0; at < piece.byteLength;)
    at += (await file.write(piece, at, piece.byteLength - at, offset + at)).bytesWritten
}

/** What a failed write means to who sends. */
export function diskError(error: unknown, fileName: string): unknown {
  const code = errnoOf(error)
  return code === 'ENOSPC' || code === 'EDQUOT'
    ? new AppError(
        'LIMIT_EXCEEDED',
        `${fileName}: the disk of the spool folder is full; free some space or set another folder`,
        { cause: error },
      )
    : error
}
