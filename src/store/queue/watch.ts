import type { PgBoss } from 'pg-boss'
import type pg from 'pg'

import { CHANNELS } from '../listener.ts'
import { createWake } from '../wake.ts'
import { WORKER_IS_ALIVE } from '../workers.ts'
import { BOSS_SCHEMA, SHARD_QUEUE, shardJobId } from './boss.ts'
import type { FreedShard, LostShard, ShardKey, WatchOptions } from './shard-queue.ts'
import { affected, type WorkContext } from './work.ts'

const INTERVAL_MS = 1_000
/** A job that is done without its shard being done is given this time: its worker may be about to write what it knows. */
const DONE_GRACE_SECONDS = 10
/** How often jobs that are over are deleted. */
const CLEAN_MS = 3_600_000

/** A shard of a run that goes on, with a job that does not. */
interface Stuck extends ShardKey {
  /** Who claimed it last. */
  readonly workerId: string | null
  /** Null when the job is gone. */
  readonly state: 'active' | 'failed' | 'cancelled' | 'completed' | null
  readonly retryCount: number | null
  readonly output: { readonly code?: string; readonly message?: string } | null
}

/**
 * Shards that are not done, of runs that have not ended, whose jobs are active in the hands of a dead worker, or over. (pg-boss'
 * own supervision knows heartbeats and time limits only, and nothing of runs.)
 */
const STUCK = `
  select shard."runId", shard.index as shard, shard."workerId", job.state, job.retry_count as "retryCount", job.output
  from "Run" run
  join "Shard" shard on shard."runId" = run.id and shard.status <> 'DONE'
  left join ${BOSS_SCHEMA}.job job on job.name = '${SHARD_QUEUE}' and job.id = md5(shard."runId" || ':' || shard.index)::uuid
  where run.status in ('QUEUED', 'RUNNING')
    and (
      job.id is null
      or job.state in ('failed', 'cancelled')
      or (job.state = 'completed' and job.completed_on < now() - interval '${DONE_GRACE_SECONDS} seconds')
      or (job.state = 'active' and not exists (
        select from "Worker" worker where worker.id = shard."workerId" and ${WORKER_IS_ALIVE}
      ))
    )
  order by shard."runId", shard.index limit 1000`

const claimOf = ({ runId, shard, retryCount }: Stuck) => `${runId}:${shard}:${retryCount ?? ''}`

/** Looks for stuck shards once a second. */
export function startWatch(context: WorkContext, { onFreed, onLost, signal }: WatchOptions): AsyncDisposable {
  const { boss, pool, log } = context
  const stop = new AbortController()
  const wake = createWake()
  const abort = () => stop.abort()
  if (signal?.aborted) abort()
  signal?.addEventListener('abort', abort, { once: true })
  const running = loop()

  async function loop(): Promise<void> {
    let cleanedAt = Date.now()
    let before: ReadonlySet<string> = new Set()
    while (!stop.signal.aborted) {
      try {
        const { rows } = await pool.query<Stuck>(STUCK)
        const suspected = before
        before = new Set(rows.map(claimOf))
        for (const stuck of rows) {
          if (stuck.state === 'active') {
            // Seen twice: after a restart of the server, a worker needs a moment to take its lock again.
            if (!suspected.has(claimOf(stuck))) continue
            const freed = await free(boss, pool, stuck)
            if (freed) await onFreed?.(freed)
            continue
          }
          const lost = lostShard(stuck)
          if (lost) {
            log.warn(lost, 'a shard is given up')
            await onLost(lost)
          }
        }
        if (Date.now() - cleanedAt > CLEAN_MS) {
          cleanedAt = Date.now()
          await boss.deleteStoredJobs(SHARD_QUEUE)
        }
      } catch (error) {
        log.error({ err: error }, 'shards of dead workers could not be looked for; trying again')
      }
      await wake.wait(INTERVAL_MS, stop.signal)
    }
  }

  return {
    [Symbol.asyncDispose]: async () => {
      signal?.removeEventListener('abort', abort)
      abort()
      await running
    },
  }
}

/** Gives the shard of a dead worker to others; null when somebody else did, or when no try is left: the next look finds it failed. */
async function free(
  boss: PgBoss,
  pool: pg.Pool,
  { runId, shard, workerId, retryCount }: Stuck,
): Promise<FreedShard | null> {
  const id = shardJobId(runId, shard)
  // Fenced: of all who watch, one does it, and a claim that is newer stays.
  const output = { code: 'WORKER_LOST', message: 'the worker that evaluated it died' }
  if (affected(await boss.fail(SHARD_QUEUE, { id, retryCount: retryCount! }, output)) === 0) return null
  await pool.query('select pg_notify($1, $2)', [CHANNELS.shardReady, runId])
  const { rows } = await pool.query(
    `select from ${BOSS_SCHEMA}.job where name = $1 and id = $2 and state <> 'failed'`,
    [SHARD_QUEUE, id],
  )
  return rows.length === 0 ? null : { runId, shard, workerId }
}

/** Why a shard that nobody works on is given up. */
function lostShard({ runId, shard, state, output }: Stuck): LostShard | null {
  switch (state) {
    case 'active':
      return null
    case 'failed': {
      const code = output?.code === 'INTERNAL' ? 'INTERNAL' : 'WORKER_LOST'
      return { runId, shard, code, message: output?.message ?? 'the worker that evaluated it died' }
    }
    case 'completed':
      return { runId, shard, code: 'INTERNAL', message: 'its worker ended without a result' }
    case 'cancelled':
    case null:
      return { runId, shard, code: 'INTERNAL', message: 'it is not in the queue any more' }
  }
}
