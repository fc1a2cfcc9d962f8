import type pg from 'pg'

import { SWEEP_LOCK } from '../lock-key.ts'

/** Runs an action during which no sweep removes anything. One such action at a time, in all processes. */
export async function withoutSweep<T>(pool: pg.Pool, action: () => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let done = false
  try {
    await client.query('begin')
    // Waits for a sweep's statement; no other begins meanwhile.
    await client.query('select pg_advisory_xact_lock($1)', [SWEEP_LOCK])
    const result = await action()
    await client.query('commit')
    done = true
    return result
  } finally {
    // A connection that failed, or is in the middle of its transaction, is closed, and the lock with it.
    client.release(!done)
  }
}

/** Whether the caller's transaction may sweep; it then keeps `withoutSweep` waiting until it ends. Sweeps do not mind each other. */
export async function maySweep(client: pg.PoolClient): Promise<boolean> {
  const { rows } = await client.query<{ may: boolean }>('select pg_try_advisory_xact_lock_shared($1) as may', [
    SWEEP_LOCK,
  ])
  return rows[0]!.may
}
