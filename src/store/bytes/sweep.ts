import { setTimeout as delay } from 'node:timers/promises'

import type pg from 'pg'

import type { SweepReport } from './byte-store.ts'
import { maySweep } from './sweep-lock.ts'
import { transaction } from './transaction.ts'

/** Storages of one statement. */
const BATCH = 200
/** How often a batch is tried again, and after how many milliseconds. */
const RETRIES = 5
const RETRY_MS = 50
/** What a foreign key refuses with: PostgreSQL 18 tells of RESTRICT by a code of its own. */
const FOREIGN_KEY_VIOLATIONS = new Set<unknown>(['23503', '23001'])

/**
 * Removes what nothing names and what was not put for a while. A row that somebody works with is left for the next time.
 *
 * It takes nothing that an import names: rows are locked `for update`, which a reference under way (a foreign key's, or `holdStorages`')
 * keeps away; and should a reference be committed between the look and the lock, the foreign key refuses the deletion.
 */
export async function sweepStorages(pool: pg.Pool, graceMs: number, untilMs: number): Promise<SweepReport> {
  const begun = performance.now()
  let storages = 0
  let bytes = 0
  let refused = 0
  for (;;) {
    const removed = await sweepBatch(pool, graceMs)
    if (removed === null && ++refused <= RETRIES) {
      await delay(RETRY_MS)
      continue
    }
    storages += removed?.length ?? 0
    bytes += removed?.reduce((sum, size) => sum + size, 0) ?? 0
    if (removed === null || removed.length < BATCH) return { storages, bytes, finished: removed !== null }
    if (performance.now() - begun > untilMs) return { storages, bytes, finished: false }
  }
}

/** Null when it may not be now: an import puts again what was swept, or the foreign key refused because one of them was named just now. */
async function sweepBatch(pool: pg.Pool, graceMs: number): Promise<readonly number[] | null> {
  try {
    return await transaction(pool, async (client) => {
      if (!(await maySweep(client))) return null
      const { rows } = await client.query<{ byteLength: string }>(
        `with idle as (
         select sha256 from "Storage" storage
         where "touchedAt" <= now() - $1 * interval '1 millisecond'
           and not exists (select from "CheckpointStorage" used where used."storageHash" = storage.sha256)
           and not exists (select from "DatasetColumn" used where used."storageHash" = storage.sha256)
         order by sha256 limit ${BATCH} for update skip locked
       )
       delete from "Storage" using idle where "Storage".sha256 = idle.sha256 returning "byteLength"`,
        [graceMs],
      )
      return rows.map((row) => Number(row.byteLength))
    })
  } catch (error) {
    if (FOREIGN_KEY_VIOLATIONS.has((error as pg.DatabaseError).code)) return null
    throw error
  }
}
