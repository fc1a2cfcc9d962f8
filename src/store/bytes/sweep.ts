import type pg from 'pg'

import type { SweepReport } from './byte-store.ts'

/** Storages of one statement. */
const BATCH = 200
const FOREIGN_KEY_VIOLATION = '23503'

/** Removes what nothing names and what was not put for a while. A row that somebody works with is left for the next time. */
export async function sweepStorages(pool: pg.Pool, graceMs: number): Promise<SweepReport> {
  let storages = 0
  let bytes = 0
  for (;;) {
    const removed = await sweepBatch(pool, graceMs)
    storages += removed.length
    bytes += removed.reduce((sum, size) => sum + size, 0)
    if (removed.length < BATCH) return { storages, bytes }
  }
}

async function sweepBatch(pool: pg.Pool, graceMs: number): Promise<readonly number[]> {
  try {
    const { rows } = await pool.query<{ byteLength: string }>(
      `with idle as (
         select sha256 from "Storage" storage
         where "touchedAt" < now() - $1 * interval '1 millisecond'
           and not exists (select from "CheckpointStorage" used where used."storageHash" = storage.sha256)
           and not exists (select from "DatasetColumn" used where used."storageHash" = storage.sha256)
         order by sha256 limit ${BATCH} for update skip locked
       )
       delete from "Storage" using idle where "Storage".sha256 = idle.sha256 returning "byteLength"`,
      [graceMs],
    )
    return rows.map((row) => Number(row.byteLength))
  } catch (error) {
    // One of them was named while the statement ran. Next time it is seen.
    if ((error as pg.DatabaseError).code === FOREIGN_KEY_VIOLATION) return []
    throw error
  }
}
