import { createHash } from 'node:crypto'

import type pg from 'pg'

import { AppError, invariant } from '../../error.ts'
import type { ByteRange, ReadOptions } from './byte-store.ts'
import { CHUNK_BYTES, copiedValues } from './copy-format.ts'
import { copyOut } from './copy-stream.ts'

/** A row of Storage. */
export interface StorageFacts {
  readonly contentId: string
  readonly byteLength: number
}

/** @throws AppError NOT_FOUND. */
export async function findStorage(pool: pg.Pool, sha256: string): Promise<StorageFacts> {
  const { rows } = await pool.query<{ contentId: string; byteLength: string }>(
    'select "contentId", "byteLength" from "Storage" where sha256 = $1',
    [sha256],
  )
  const row = rows[0]
  if (!row) throw new AppError('NOT_FOUND', `no storage with SHA-256 ${sha256}`)
  return { contentId: row.contentId, byteLength: Number(row.byteLength) }
}

/** The error of a storage whose bytes are not those that its hash was made of. */
export const storageDamaged = (sha256: string, what: string): AppError =>
  new AppError(
    'STORAGE_DAMAGED',
    `storage ${sha256} is damaged: ${what}. \`nograd verify --all\` finds what uses it and marks it; importing a file that has ` +
      'these bytes then puts them back',
  )

/** The bytes of a storage or of a part of it. The connection is held until the last piece is taken, or the reader stops. */
export async function* readStorage(
  pool: pg.Pool,
  sha256: string,
  range: ByteRange | undefined,
  { verify = true, signal }: ReadOptions,
): AsyncGenerator<Uint8Array, void> {
  const { contentId, byteLength } = await findStorage(pool, sha256)
  const { offset, length } = range ?? { offset: 0, length: byteLength }
  if (!(
    Number.isSafeInteger(offset) &&
    Number.isSafeInteger(length) &&
    offset >= 0 &&
    length >= 0 &&
    offset + length <= byteLength
  ))
    throw new AppError(
      'BAD_INPUT',
      `bytes ${offset} to ${offset + length} of a storage of ${byteLength} bytes are wanted; a range within it is expected`,
    )
  const hash = verify && length === byteLength ? createHash('sha256') : null
  let read = 0
  if (length > 0)
    for await (const piece of readChunks(pool, contentId, offset, length, signal)) {
      hash?.update(piece)
      read += piece.length
      yield piece
    }
  if (read !== length) {
    // Between the two statements a sweep may have taken it, or a put may have replaced damaged bytes.
    const found = await findStorage(pool, sha256)
    if (found.contentId !== contentId && read === 0) {
      yield* readStorage(pool, sha256, range, { verify, ...(signal === undefined ? {} : { signal }) })
      return
    }
    throw storageDamaged(sha256, `${read} of ${length} bytes at ${offset} are there`)
  }
  if (hash !== null && hash.digest('hex') !== sha256) throw storageDamaged(sha256, 'its bytes have another hash')
}

async function* readChunks(
  pool: pg.Pool,
  contentId: string,
  offset: number,
  length: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void> {
  // COPY takes no parameters, so that values are written into it.
  invariant(/^[0-9a-f-]{36}$/.test(contentId), 'a content id is a UUID')
  const first = Math.floor(offset / CHUNK_BYTES)
  const last = Math.floor((offset + length - 1) / CHUNK_BYTES)
  const client = await pool.connect()
  let done = false
  try {
    const sql = `copy (select "bytes" from "StorageChunk" where "contentId" = '${contentId}'
      and "index" between ${first} and ${last} order by "index") to stdout (format binary)`
    let at = first * CHUNK_BYTES
    for await (const chunk of copiedValues(copyOut(client, sql))) {
      signal?.throwIfAborted()
      yield chunk.subarray(Math.max(offset - at, 0), Math.min(offset + length - at, chunk.length))
      at += chunk.length
    }
    done = true
  } finally {
    // A reader that stops early leaves the connection in the middle of a COPY.
    client.release(!done)
  }
}
