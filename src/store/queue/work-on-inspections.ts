import { setTimeout as delay } from 'node:timers/promises'
import { CHANNELS } from '../listener.ts'
import { createWake } from '../wake.ts'
import { SIGN_OF_LIFE } from '../workers.ts'
import { INSPECTION_QUEUE, overClient, overTransaction } from './boss.ts'
import type { InspectionWorkOptions } from './inspection-queue.ts'
import { affected, type WorkContext } from './work.ts'

/** Without a notification, the queue is looked at as often. */
const POLL_MS = 5_000
/** After an error of the database. */
const RETRY_MS = 1_000
/** How often a worker makes sure that its claim still counts. */
const TOUCH_MS = 2_000

/** A claimed job: the pair is what pg-boss fences with. */
interface Claim {
  readonly id: string
  readonly retryCount: number
}

/** Claims and works, one inspection at a time, whenever there is nothing better to do. A loop of its own for the reasons of `work.ts`. */
export function workOnInspections(context: WorkContext, options: InspectionWorkOptions): AsyncDisposable {
  const { listener, log } = context
  const stop = new AbortController()
  const wake = createWake()
  const remove = listener.add({
    heard: (channel) => {
      if (channel === CHANNELS.inspectionReady) wake.set()
    },
    missed: () => wake.set(),
  })
  const abort = () => stop.abort()
  if (options.signal?.aborted) abort()
  options.signal?.addEventListener('abort', abort, { once: true })

  const running = loop()
  async function loop(): Promise<void> {
    const stopping = () => stop.signal.aborted
    while (!stopping()) {
      const before = wake.sets
      try {
        await options.idle(stop.signal)
        if (stopping()) return
        const claim = await claimInspection(context, options.workerId)
        if (claim) {
          await runJob(context, options, claim, stop.signal)
          continue
        }
        if (wake.sets === before) await wake.wait(POLL_MS, stop.signal)
      } catch (error) {
        log.error({ err: error }, 'the queue of inspections could not be read; trying again')
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

/** Takes the next job and writes who has it, in one transaction. */
async function claimInspection({ boss, pool }: WorkContext, workerId: string): Promise<Claim | null> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    const { rowCount } = await client.query(SIGN_OF_LIFE, [workerId])
    const [job] = rowCount === 0 ? [] : await boss.fetch(INSPECTION_QUEUE, { db: overClient(client) })
    if (job) await client.query('update "Inspection" set "workerId" = $2 where id = $1', [job.id, workerId])
    await client.query('commit')
    client.release()
    return job ? { id: job.id, retryCount: job.retryCount } : null
  } catch (error) {
    client.release(true)
    throw error
  }
}

async function runJob(
  context: WorkContext,
  options: InspectionWorkOptions,
  claim: Claim,
  stopping: AbortSignal,
): Promise<void> {
  const { boss, log } = context
  const stopped = new AbortController()
  const check = setInterval(() => {
    boss.touch(INSPECTION_QUEUE, claim).then(
      (response) => {
        if (affected(response) === 0) stopped.abort()
      },
      (error: unknown) => log.warn({ err: error }, 'the claim of an inspection could not be checked'),
    )
  }, TOUCH_MS)
  const stop = () => stopped.abort()
  stopping.addEventListener('abort', stop)
  try {
    if (stopping.aborted) stop()
    stopped.signal.throwIfAborted()
    await options.onJob({
      ...{ id: claim.id, signal: stopped.signal },
      complete: async (tx) =>
        affected(await boss.complete(INSPECTION_QUEUE, claim, null, { db: overTransaction(tx) })) > 0,
    })
    // Nothing happens when the job was completed, or given to another worker.
    await settle(context, stopping, () => boss.complete(INSPECTION_QUEUE, claim))
  } catch (error) {
    if (stopping.aborted) {
      await settle(context, stopping, () => giveBack(context, claim))
      return
    }
    if (stopped.signal.aborted) return
    log.error({ err: error, inspectionId: claim.id, retryCount: claim.retryCount }, 'an inspection failed')
    const message = error instanceof Error ? error.message : String(error)
    await settle(context, stopping, () => boss.fail(INSPECTION_QUEUE, claim, { code: 'INTERNAL', message }))
  } finally {
    clearInterval(check)
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
      log.error({ err: error }, 'the queue could not be told how an inspection ended')
      if (stopping.aborted) return
      await delay(RETRY_MS, null, { signal: stopping }).catch(() => undefined)
    }
  }
}

/** Puts a job back as if it had not been claimed: a worker that stops in good order uses up no retry. */
async function giveBack({ boss, pool }: WorkContext, claim: Claim): Promise<void> {
  const client = await pool.connect()
  try {
    const db = overClient(client)
    await client.query('begin')
    if (affected(await boss.cancel(INSPECTION_QUEUE, claim, { db })) > 0) {
      await boss.resume(INSPECTION_QUEUE, claim.id, { db })
      await client.query('select pg_notify($1, $2)', [CHANNELS.inspectionReady, ''])
    }
    await client.query('commit')
    client.release()
  } catch (error) {
    client.release(true)
    throw error
  }
}
