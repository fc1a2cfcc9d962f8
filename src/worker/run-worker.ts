import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Engine } from '../engine/index.ts'
import { AppError } from '../error.ts'
import { ShardStopped, type ShardJob } from '../store/index.ts'
import { claimShard, failRun, releaseShard, watchRuns, type Platform, type ShardClaim } from '../usecase/index.ts'
import { openBlobCache } from './blob-cache/index.ts'
import { engineDevices } from './engine-devices.ts'
import { ClaimLost, evaluateClaim } from './evaluate-claim.ts'
import { openSessionCache, type SessionCacheLimits } from './session-cache.ts'
import type { Workbench } from './workbench.ts'

/** What a worker is made from. */
export interface WorkerOptions {
  readonly platform: Platform
  /** In order of preference. Whoever made them disposes them. */
  readonly engines: readonly Engine[]
  /** Folder of the weights and samples that were fetched; workers of one machine may share it. */
  readonly cacheDir: string
  /** Bytes that the folder may take. */
  readonly cacheBytes?: number | undefined
  /** Threads inside one operation of an engine. */
  readonly threads: number
  /** Sessions that stay loaded for the next run. */
  readonly sessionLimits?: SessionCacheLimits | undefined
  /** Called when the worker takes runs. */
  readonly onReady?: (() => void) | undefined
  /** Stops the worker: a shard that is not done within a moment is handed back. */
  readonly signal: AbortSignal
}

const CACHE_BYTES = 20 * 2 ** 30
const SESSION_LIMITS: SessionCacheLimits = { sessions: 4, bytes: 2 * 2 ** 30 }

/** Milliseconds that a shard gets to be done when the worker is told to stop. */
const FINISH_MS = 2_000

/**
 * Works until it is told to stop: claims shards, one at a time, evaluates and reports them.
 * @throws AppError ENGINE_FAILED when an engine does not work any more: the process is to be started again.
 */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const { platform, engines, threads, signal } = options
  const { store, log } = platform
  const there = await engineDevices(engines)
  await using blobs = await openBlobCache({
    folder: options.cacheDir,
    maxBytes: options.cacheBytes ?? CACHE_BYTES,
    source: {
      size: (sha256) => store.bytes.size(sha256),
      // The cache hashes what it gets.
      read: (sha256, aborted) =>
        store.bytes.read(sha256, undefined, { verify: false, ...(aborted === undefined ? {} : { signal: aborted }) }),
    },
    log,
  })
  await using sessions = openSessionCache(options.sessionLimits ?? SESSION_LIMITS)
  const devices = there.map(({ engine, device }) => ({ engine: engine.name, version: engine.version, ...device }))
  await using registered = await store.workers.register({ hostname: hostname(), pid: process.pid, devices })
  await using _watch = watchRuns(platform)
  const stop = stopper(signal)
  const bench: Workbench = { platform, engines, blobs, sessions, threads }
  {
    await using _work = store.queue.work({
      workerId: registered.id,
      signal: stop.now,
      onJob: (job) => stop.during(() => evaluateJob(bench, registered.id, job, stop)),
    })
    log.info({ workerId: registered.id, devices: devices.map(({ id }) => id) }, 'the worker takes runs')
    options.onReady?.()
    await stop.stopped
  }
  log.info({ workerId: registered.id }, 'the worker has stopped')
  if (stop.failure !== null) throw stop.failure
}

async function evaluateJob(bench: Workbench, workerId: string, job: ShardJob, stop: Stopper): Promise<void> {
  const { platform, engines } = bench
  // A thread that died while there was nothing to do is not the next run's fault.
  await engineDevices(engines).catch((error: unknown) => stop.fail(error))
  const claim = await claimShard(platform, { runId: job.runId, shard: job.shard, workerId })
  if (claim === null) return
  try {
    await evaluateClaim(bench, claim, job)
  } catch (error) {
    await settle(platform, claim, job, error)
  }
}

/**
 * What becomes of a shard that was not evaluated. What would fail the same way again ends its run; what we did not expect is thrown, and
 * the queue has it tried again.
 */
async function settle(platform: Platform, claim: ShardClaim, job: ShardJob, error: unknown): Promise<void> {
  const { log } = platform
  const about = { runId: job.runId, shard: job.shard }
  if (error instanceof ClaimLost) return
  if (job.signal.aborted) {
    const reason: unknown = job.signal.reason
    log.info({ ...about, reason: String(reason) }, 'a shard was left')
    if (!(reason instanceof ShardStopped) || reason.why !== 'WORKER_STOPS') return
    await releaseShard(platform, claim, `worker ${hostname()} stops; another one goes on with the run`)
    throw reason
  }
  if (error instanceof AppError) {
    await failRun(platform, claim, { code: error.code, message: error.message })
    return
  }
  const id = randomUUID()
  log.error({ err: error, ...about, errorId: id }, 'a shard failed unexpectedly')
  const message = `internal error ${id}: the log of worker ${hostname()} says more`
  await releaseShard(platform, claim, message)
  // Only the id goes on: what was thrown may tell more than a user is meant to see.
  throw new Error(message)
}

/** When a worker stops, and why. */
interface Stopper {
  /** Aborted when the shard at hand has to be given back. */
  readonly now: AbortSignal
  /** Settles when the worker is to end. */
  readonly stopped: Promise<void>
  readonly failure: unknown
  /** Does the work of a job; a worker that is to stop lets it finish if that is soon, and takes no other. */
  during(work: () => Promise<void>): Promise<void>
  /** Ends the worker because it cannot work any more; throws what gives the job at hand back. */
  fail(error: unknown): never
}

function stopper(signal: AbortSignal): Stopper {
  const now = new AbortController()
  let busy = false
  let failure: unknown = null
  const stopped = new Promise<void>((resolve) => {
    now.signal.addEventListener('abort', () => {
      resolve()
    })
  })
  const onSignal = () => {
    if (busy) setTimeout(() => now.abort(), FINISH_MS).unref()
    else now.abort()
  }
  if (signal.aborted) onSignal()
  else signal.addEventListener('abort', onSignal, { once: true })
  return {
    now: now.signal,
    stopped,
    get failure() {
      return failure
    },
    async during(work) {
      if (signal.aborted) {
        // Claimed in the moment of the signal: it goes back untouched.
        now.abort()
        throw new ShardStopped('WORKER_STOPS')
      }
      busy = true
      try {
        await work()
      } finally {
        busy = false
        if (signal.aborted) now.abort()
      }
    },
    fail(error) {
      failure = error
      now.abort()
      throw new ShardStopped('WORKER_STOPS')
    },
  }
}
