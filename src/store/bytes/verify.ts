import type pg from 'pg'

import { AppError } from '../../error.ts'
import type { Integrity } from './byte-store.ts'
import { CHUNK_BYTES } from './copy-format.ts'
import { findStorage, readStorage } from './read.ts'

/** Reads a storage and compares its hash; notes on its row what was found. */
export async function verifyStorage(
  pool: pg.Pool,
  sha256: string,
  signal: AbortSignal | undefined,
): Promise<Integrity> {
  const { byteLength, contentId } = await findStorage(pool, sha256)
  try {
    const whole = readStorage(pool, sha256, undefined, signal === undefined ? {} : { signal })
    // `readStorage` hashes what it reads; nothing is kept.
    while ((await whole.next()).done !== true);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'STORAGE_DAMAGED') throw error
    const missing = await missingChunk(pool, contentId, byteLength)
    await note(pool, sha256, contentId, true)
    return missing === null
      ? { status: 'DAMAGED', byteLength, problem: 'its bytes have another SHA-256 than they are filed under' }
      : { status: 'MISSING', byteLength, problem: missing }
  }
  await note(pool, sha256, contentId, false)
  return { status: 'OK', byteLength, problem: null }
}

/** Only when that changes anything, and only for the bytes that were read: a put may have replaced them. */
async function note(pool: pg.Pool, sha256: string, contentId: string, damaged: boolean): Promise<void> {
  await pool.query(
    `update "Storage" set "damagedAt" = case when $3 then now() end
     where sha256 = $1 and "contentId" = $2 and ("damagedAt" is not null) <> $3`,
    [sha256, contentId, damaged],
  )
}

/** The first chunk that is not there, or not as long as it should be. */
async function missingChunk(pool: pg.Pool, contentId: string, byteLength: number): Promise<string | null> {
  const count = Math.ceil(byteLength / CHUNK_BYTES)
  // `octet_length` of a value that is stored outside of the row and not compressed reads its header only.
  const { rows } = await pool.query<{ index: number; found: number | null }>(
    `select wanted.index, octet_length(chunk.bytes) as found
     from generate_series(0, $2::int - 1) as wanted(index)
     left join "StorageChunk" chunk on chunk."contentId" = $1 and chunk.index = wanted.index
     where octet_length(chunk.bytes) is distinct from least($3::bigint - wanted.index::bigint * ${CHUNK_BYTES}, ${CHUNK_BYTES})
     order by wanted.index limit 1`,
    [contentId, count, byteLength],
  )
  const [row] = rows
  if (row === undefined) return null
  const start = row.index * CHUNK_BYTES
  const length = Math.min(CHUNK_BYTES, byteLength - start)
  return `chunk ${row.index} of ${count} (bytes ${start} to ${start + length}) ${row.found === null ? 'is missing' : `has ${row.found} bytes`}`
}
