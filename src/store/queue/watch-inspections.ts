import { CHANNELS } from '../listener.ts'
import { createWake } from '../wake.ts'
import { WORKER_IS_ALIVE } from '../workers.ts'
import { BOSS_SCHEMA, INSPECTION_QUEUE, overClient } from './boss.ts'
import type { InspectionWatchOptions } from './inspection-queue.ts'
import { affected, type WorkContext } from './work.ts'

const INTERVAL_MS = 2_000
/** A job that is done without its inspection being done is given this time: its worker may be about to write what it found. */
const DONE_GRACE_SECONDS = 10
/** How often jobs that are over are deleted. */
const CLEAN_MS = 3_600_000

/** An inspection that is not finished, with a job that does not go on. */
interface Stuck {
  readonly id: string
  /** Null when there is no job. */
  readonly state: 'active' | 'failed' | 'cancelled' | 'completed' | null
  readonly retryCount: number | null
  readonly output: { readonly code?: string; readonly message?: string } | null
}

/** Inspections whose jobs are missing, over, or active in the hands of a dead worker. */
const STUCK = `
  select inspection.id, job.state, job.retry_count as "retryCount", job.output
  from "Inspection" inspection
  left join ${BOSS_SCHEMA}.job job on job.name = '${INSPECTION_QUEUE}' and job.id = inspection.id
  where inspection.status = 'PENDING'
    and (
      job.id is null
      or job.state in ('failed', 'cancelled')
      or (job.state = 'completed' and job.completed_on < now() - interval '${DONE_GRACE_SECONDS} seconds')
      or (job.state = 'active' and not exists (
        select from "Worker" worker where worker.id = inspection."workerId" and ${WORKER_IS_ALIVE}
      ))
    )
  order by inspection.id limit 1000`

/** Looks for stuck inspections every two seconds. Any number of processes may. */
export function watchInspections(context: WorkContext, { onLost, signal }: InspectionWatchOptions): AsyncDisposable {
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
        before = new Set(rows.map(({ id, retryCount }) => `${id}:${retryCount ?? ''}`))
        // Seen twice: after a restart of the server, a worker needs a moment to take its lock again.
        const dead = rows.filter(
          ({ id, state, retryCount }) => state === 'active' && suspected.has(`${id}:${retryCount ?? ''}`),
        )
        for (const stuck of dead) await free(context, stuck)
        await queueAgain(context, rows)
        for (const stuck of rows) {
          if (stuck.state === null || stuck.state === 'active') continue
          const { output, id } = stuck
          const code = output?.code === 'WORKER_LOST' ? 'WORKER_LOST' : 'INTERNAL'
          await onLost({ id, code, message: output?.message ?? 'its worker ended without a result' })
        }
        if (Date.now() - cleanedAt > CLEAN_MS) {
          cleanedAt = Date.now()
          await boss.deleteStoredJobs(INSPECTION_QUEUE)
        }
      } catch (error) {
        log.error({ err: error }, 'inspections of dead workers could not be looked for; trying again')
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

/** Gives the inspection of a dead worker to others, unless somebody else did. */
async function free({ boss, pool }: WorkContext, { id, retryCount }: Stuck): Promise<void> {
  const output = { code: 'WORKER_LOST', message: 'the worker that computed it died' }
  if (affected(await boss.fail(INSPECTION_QUEUE, { id, retryCount: retryCount! }, output)) > 0)
    await pool.query('select pg_notify($1, $2)', [CHANNELS.inspectionReady, ''])
}

/** Inspections of before there was a queue of them have no job. A job that somebody else makes at the same moment is the same job. */
async function queueAgain({ boss, pool }: WorkContext, rows: readonly Stuck[]): Promise<void> {
  const ids = rows.filter(({ state }) => state === null).map(({ id }) => id)
  if (ids.length === 0) return
  await boss.insert(
    INSPECTION_QUEUE,
    ids.map((id) => ({ id, data: { id } })),
    { db: overClient(pool) },
  )
  await pool.query('select pg_notify($1, $2)', [CHANNELS.inspectionReady, ''])
}
