import { open, stat, type FileHandle } from 'node:fs/promises'
import { AppError } from '../error.ts'
import type { UploadRow } from '../store/index.ts'
import { checkFileName, checkLength, checkSha256 } from './check-upload.ts'
import { errnoOf } from './errno.ts'
import { completeRow, discardUpload, finishUpload, WrongHash } from './finish-upload.ts'
import type { Platform } from './platform.ts'
import { reserveSpool } from './reserve-spool.ts'
import { runningHash, type RunningHashes } from './running-hash.ts'
import { partialSpoolPath, spoolPath } from './spool.ts'
import { requireLocal } from './spooled-here.ts'
import { touchUpload, writeUpload } from './write-upload.ts'

// Whoever calls these holds the upload (`holdUpload`).

/** What a client announces of a file that it will send in one or several goes. */
export interface CreateUploadInput {
  /** UUID, from `timeOrderedId`. */
  readonly id: string
  readonly fileName: string
  readonly length: number
  /** Lower- or upper-case hex. */
  readonly sha256?: string | undefined
}

/** A resumable upload and how many of its bytes are there. */
export interface UploadState {
  readonly row: UploadRow
  readonly bytes: number
}

/**
 * Makes an upload that bytes can be appended to; one of no bytes is complete at once.
 * @throws AppError BAD_INPUT, LIMIT_EXCEEDED.
 */
export async function createUpload(platform: Platform, input: CreateUploadInput): Promise<UploadState> {
  const { spoolDir, clock, limits } = platform
  const { id, length } = input
  const fileName = checkFileName(input.fileName)
  const announcedSha256 = checkSha256(input.sha256)
  checkLength(platform, fileName, length)
  const expiresAt = new Date(clock().getTime() + limits.uploadLifetimeMs)
  const upload = { id, fileName, length, announcedSha256, resumable: true, expiresAt, reserved: length }
  const row = await reserveSpool(platform, upload)
  try {
    await using file = await open(partialSpoolPath(spoolDir, id), 'wx+', 0o600)
    return length === 0
      ? { row: await finishUpload(platform, row, file, 0, runningHash()), bytes: 0 }
      : { row, bytes: 0 }
  } catch (error) {
    await discardUpload(platform, id)
    throw error
  }
}

/**
 * How far an upload is: the length of its file counts, not what the row last learnt. An upload whose bytes are all there and which a crash
 * kept from being completed is completed here.
 * @throws AppError NOT_FOUND; CONFLICT when another server has the bytes; UPLOAD_INCOMPLETE when they have the wrong hash.
 */
export async function uploadState(platform: Platform, uploadId: string): Promise<UploadState> {
  const row = await findResumable(platform, uploadId)
  if (row.status === 'COMPLETE') return { row, bytes: Number(row.bytes) }
  await using file = await openPartial(platform, row)
  if (file === null) return await completeRenamed(platform, row)
  const { size } = await file.stat()
  if (size < Number(row.length)) return { row, bytes: size }
  return await finish(platform, row, file, size, runningHash())
}

/**
 * Appends bytes to an upload. When the connection breaks, what has arrived is kept; with the last byte, the upload is complete.
 * @param hashes of uploads that this process receives
 * @param written told the length of the file after each piece
 * @throws AppError CONFLICT when the file does not end at `offset`; UPLOAD_INCOMPLETE; LIMIT_EXCEEDED; NOT_FOUND.
 */
export async function appendUpload(
  platform: Platform,
  hashes: RunningHashes,
  { uploadId, offset, body, signal }: AppendUploadInput,
  written: (length: number) => void = () => undefined,
): Promise<UploadState> {
  const row = await findResumable(platform, uploadId)
  if (row.status === 'COMPLETE') throw wrongOffset(row, offset, Number(row.bytes))
  await using file = await openPartial(platform, row)
  if (file === null) throw bytesAreGone(row)
  const { size } = await file.stat()
  if (size !== offset) throw wrongOffset(row, offset, size)
  const hash = hashes.take(uploadId, size)
  if (hash.position() < size) await hash.follow(file, size)
  let bytes: number
  try {
    bytes = await writeUpload(platform, { row, file, offset, hash, body, signal }, written)
  } catch (error) {
    await hash.pause()
    await keepWhatArrived(platform, row, file, hashes, hash)
    throw error
  }
  if (bytes === Number(row.length)) return await finish(platform, row, file, bytes, hash)
  await hash.pause()
  await keepWhatArrived(platform, row, file, hashes, hash)
  return { row, bytes }
}

/** Bytes to append. */
export interface AppendUploadInput {
  readonly uploadId: string
  /** Where the sender believes the file to end. */
  readonly offset: number
  readonly body: AsyncIterable<Uint8Array>
  readonly signal?: AbortSignal | undefined
}

async function keepWhatArrived(
  platform: Platform,
  row: UploadRow,
  file: FileHandle,
  hashes: RunningHashes,
  hash: ReturnType<typeof runningHash>,
): Promise<void> {
  const { size } = await file.stat()
  // A piece that was hashed and could not be written makes a hash of something else.
  if (hash.position() <= size) hashes.keep(row.id, hash)
  await touchUpload(platform, row, size)
}

async function finish(
  platform: Platform,
  row: UploadRow,
  file: FileHandle,
  bytes: number,
  hash: ReturnType<typeof runningHash>,
): Promise<UploadState> {
  try {
    return { row: await finishUpload(platform, row, file, bytes, hash), bytes }
  } catch (error) {
    if (error instanceof WrongHash) await discardUpload(platform, row.id)
    throw error
  }
}

async function findResumable(platform: Platform, uploadId: string): Promise<UploadRow> {
  const row = await platform.store.prisma.upload.findUnique({ where: { id: uploadId } })
  if (row === null || row.expiresAt < platform.clock())
    throw new AppError(
      'NOT_FOUND',
      'there is no upload with this id: it was imported already, has expired, or never was; send the file again',
    )
  await requireLocal(platform, row)
  if (!row.resumable && row.status !== 'COMPLETE')
    throw new AppError('CONFLICT', `${row.fileName}: a file that is sent by PUT cannot be resumed`)
  return row
}

/** The file while it is incomplete; null when it is not there. */
async function openPartial({ spoolDir }: Platform, { id }: UploadRow): Promise<FileHandle | null> {
  try {
    return await open(partialSpoolPath(spoolDir, id), 'r+')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null
    throw error
  }
}

/** An upload whose file got its final name before a crash, and whose row does not know. The bytes were verified before. */
async function completeRenamed(platform: Platform, row: UploadRow): Promise<UploadState> {
  const path = spoolPath(platform.spoolDir, row.id)
  const facts = await stat(path).catch(() => null)
  if (facts === null || facts.size !== Number(row.length)) throw bytesAreGone(row)
  await using file = await open(path, 'r')
  const sha256 = await runningHash().digest(file, facts.size)
  return { row: await completeRow(platform, row.id, facts.size, sha256), bytes: facts.size }
}

const bytesAreGone = ({ fileName }: UploadRow): AppError =>
  new AppError('NOT_FOUND', `${fileName}: the bytes of this upload are gone from the spool folder; send the file again`)

const wrongOffset = ({ fileName }: UploadRow, given: number, found: number): AppError =>
  new AppError(
    'CONFLICT',
    `${fileName}: ${found} bytes are there, and bytes from ${given} on were sent; ask how far it is`,
  )
