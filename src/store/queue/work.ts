import { setTimeout as delay } from 'node:timers/promises'

import type { PgBoss } from 'pg-boss'
import type pg from 'pg'
import type { Logger } from 'pino'

import { createWake } from '../wake.ts'
import { CHANNELS, type Listener } from '../listener.ts'
import { SIGN_OF_LIFE } from '../workers.ts'
import { overClient, overTransaction, SHARD_QUEUE } from './boss.ts'
import { ShardStopped, type ShardKey, type WorkOptions } from './shard-queue.ts'

/** Without a notification, the queue is looked at as often. */
const POLL_MS = 2_000
/** After an error of the database. */
const RETRY_MS = 1_000
/** How often a worker makes sure that its claim still counts. */
const TOUCH_MS = 2_000

/** What work needs. */
export interface WorkContext {
  readonly boss: PgBoss
  readonly pool: pg.Pool
  readonly listener: Listener
  readonly log: Logger
}

/** A claimed job: the pair is what pg-boss fences with. */
interface Claim extends ShardKey {
  readonly id: string
  readonly retryCount: number
}

/**
 * Claims and works, one shard at a time. This is a loop of its own rather than `boss.work`, which takes one job in 30 seconds off a
 * backlog when it is woken by notifications, and completes jobs that were given to another worker meanwhile.
 */
export function startWork(context: WorkContext, options: WorkOptions): AsyncDisposable {
  const { listener, log } = context
  const stop = new AbortController()
  const wake = createWake()
  const remove = listener.add({
    heard: (channel) => {
      if (channel === CHANNELS.shardReady) wake.set()
    },
    missed: () => wake.set(),
  })
  const abort = () => stop.abort(new ShardStopped('WORKER_STOPS'))
  if (options.signal?.aborted) abort()
  options.signal?.addEventListener('abort', abort, { once: true })

  const running = loop()
  async function loop(): Promise<void> {
    while (!stop.signal.aborted) {
      const before = wake.sets
      try {
        const claim = await claimShard(context, options.workerId)
        if (claim) {
          await runJob(context, options, claim, stop.signal)
          continue
        }
        if (wake.sets === before) await wake.wait(POLL_MS, stop.signal)
      } catch (error) {
        log.error({ err: error }, 'the queue could not be read; trying again')
        await wake.wait(RETRY_MS, stop.signal)
      }
    }
  }

  return {
    [Symbol.asyncDispose]: async () => {
      options.signal?.removeEventListener('abort', abort)
      abort()
      remove()
      await running
    },
  }
}

/** Takes the next job and writes who has it, in one transaction: no claim is without a worker who can be seen to be dead. */
async function claimShard({ boss, pool }: WorkContext, workerId: string): Promise<Claim | null> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    const { rowCount } = await client.query(SIGN_OF_LIFE, [workerId])
    if (rowCount === 0) {
      await client.query('rollback')
      client.release()
      return null
    }
    const [job] = await boss.fetch<ShardKey>(SHARD_QUEUE, { db: overClient(client) })
    if (job)
      await client.query('update "Shard" set "workerId" = $3 where "runId" = $1 and index = $2', [
        job.data.runId,
        job.data.shard,
        workerId,
      ])
    await client.query('commit')
    client.release()
    return job ? { id: job.id, retryCount: job.retryCount, runId: job.data.runId, shard: job.data.shard } : null
  } catch (error) {
    client.release(true)
    throw error
  }
}

async function runJob(context: WorkContext, options: WorkOptions, claim: Claim, stopping: AbortSignal): Promise<void> {
  const { boss, log } = context
  const { id, retryCount, runId, shard } = claim
  const attempt = { id, retryCount }
  const stopped = new AbortController()
  const unwatch = watchClaim(context, claim, stopped)
  const stop = () => stopped.abort(stopping.reason)
  stopping.addEventListener('abort', stop)
  try {
    stopping.throwIfAborted()
    await options.onJob({
      ...{ runId, shard, retryCount, signal: stopped.signal },
      complete: async (tx) =>
        affected(await boss.complete(SHARD_QUEUE, attempt, null, { db: overTransaction(tx) })) > 0,
    })
    // Nothing happens when the job was completed, cancelled or given to another worker.
    await settle(context, stopping, () => boss.complete(SHARD_QUEUE, attempt))
  } catch (error) {
    if (stopping.aborted) {
      // Nothing happens when the claim counts no more.
      await settle(context, stopping, () => giveBack(context, claim))
      return
    }
    if (stopped.signal.aborted) return
    log.error({ err: error, runId, shard, retryCount }, 'a shard failed')
    const message = error instanceof Error ? error.message : String(error)
    await settle(context, stopping, () => boss.fail(SHARD_QUEUE, attempt, { code: 'INTERNAL', message }))
    await context.pool.query('select pg_notify($1, $2)', [CHANNELS.shardReady, runId])
  } finally {
    unwatch()
    stopping.removeEventListener('abort', stop)
  }
}

/** Tells the queue how a job ended. Nobody else does as long as this worker lives, so that it has to get through. */
async function settle({ log }: WorkContext, stopping: AbortSignal, tell: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await tell()
      return
    } catch (error) {
      log.error({ err: error }, 'the queue could not be told how a shard ended')
      // A worker that is gone is noticed by the others.
      if (stopping.aborted) return
      await delay(RETRY_MS, null, { signal: stopping }).catch(() => undefined)
    }
  }
}

/** Stops the work when the run is stopped (told at once), or when the claim counts no more (found out by touching it). */
function watchClaim({ boss, listener, log }: WorkContext, claim: Claim, stopped: AbortController): () => void {
  const { id, retryCount, runId } = claim
  const check = () => {
    boss.touch(SHARD_QUEUE, { id, retryCount }).then(
      (response) => {
        if (affected(response) === 0) stopped.abort(new ShardStopped('CLAIM_LOST'))
      },
      (error: unknown) => log.warn({ err: error, runId }, 'a claim could not be checked'),
    )
  }
  const timer = setInterval(check, TOUCH_MS)
  const remove = listener.add({
    heard: (channel, payload) => {
      if (channel === CHANNELS.runStopped && payload === runId) stopped.abort(new ShardStopped('RUN_STOPPED'))
    },
    missed: check,
  })
  return () => {
    clearInterval(timer)
    remove()
  }
}

/** Puts a job back as if it had not been claimed: a worker that stops in good order uses up no retry. */
async function giveBack({ boss, pool }: WorkContext, { id, retryCount, runId }: Claim): Promise<void> {
  const client = await pool.connect()
  try {
    const db = overClient(client)
    await client.query('begin')
    if (affected(await boss.cancel(SHARD_QUEUE, { id, retryCount }, { db })) > 0) {
      await boss.resume(SHARD_QUEUE, id, { db })
      await client.query('select pg_notify($1, $2)', [CHANNELS.shardReady, runId])
    }
    await client.query('commit')
    client.release()
  } catch (error) {
    client.release(true)
    throw error
  }
}

/** How many jobs a command of pg-boss has changed. Its types keep that to themselves. */
export function affected(response: object): number {
  return (response as { affected: number }).affected
}
