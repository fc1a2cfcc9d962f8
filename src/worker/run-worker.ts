import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Engine } from '../engine/index.ts'
import { AppError } from '../error.ts'
import { ShardStopped, type ShardJob } from '../store/index.ts'
import {
  claimShard,
  failRun,
  placesOf,
  releaseShard,
  watchInspections,
  watchRuns,
  type Platform,
  type ShardClaim,
  type WorkerDevice,
} from '../usecase/index.ts'
import { openBlobCache } from './blob-cache/index.ts'
import { predictionAnswerer } from './answer-prediction.ts'
import { engineDevices } from './engine-devices.ts'
import { ClaimLost, evaluateClaim } from './evaluate-claim.ts'
import { inspectJob, runGate } from './inspection/index.ts'
import { openSessionCache, type SessionCacheLimits } from './session-cache.ts'
import { stopper, type Stopper } from './stopper.ts'
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
  /** Stops the worker: a shard that is not done soon is handed back. */
  readonly signal: AbortSignal
  /** Milliseconds that a shard gets to be done when the worker is told to stop. */
  readonly finishMs?: number | undefined
}

const CACHE_BYTES = 20 * 2 ** 30
const SESSION_LIMITS: SessionCacheLimits = { sessions: 4, bytes: 2 * 2 ** 30 }

const FINISH_MS = 2_000
/** Predictions that a worker has in hand: a run's batches keep their turn among theirs. */
const PREDICTIONS_AT_ONCE = 4

/**
 * Works until it is told to stop: claims shards, one at a time, evaluates and reports them; and answers predictions meanwhile.
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
  const devices: WorkerDevice[] = there.map(({ engine: { name, version, lacks }, device }) => ({
    ...{ engine: name, version, lacks },
    ...device,
  }))
  await using registered = await store.workers.register({ hostname: hostname(), pid: process.pid, devices })
  const stop = stopper(signal, options.finishMs ?? FINISH_MS)
  const bench: Workbench = { platform, engines, blobs, sessions, threads }
  const watch = watchRuns(platform)
  const gate = runGate()
  const predictions = store.predictions.work({
    workerId: registered.id,
    places: placesOf(devices),
    atOnce: PREDICTIONS_AT_ONCE,
    isWarm: (model) => sessions.holds(model),
    onPrediction: predictionAnswerer(bench, there, () => checkEngines(engines, stop)),
  })
  const work = store.queue.work({
    workerId: registered.id,
    signal: stop.now,
    onJob: (job) => gate.during(() => stop.during(() => evaluateJob(bench, registered.id, job, stop))),
  })
  // Statistics and comparisons: while no run is evaluated.
  const watchIdle = watchInspections(platform)
  const workIdle = store.inspections.work({
    workerId: registered.id,
    signal,
    idle: gate.idle,
    onJob: (job) => inspectJob({ platform, blobs, gate }, job),
  })
  log.info({ workerId: registered.id, devices: devices.map(({ id }) => id) }, 'the worker takes runs')
  options.onReady?.()
  await stop.stopped
  await predictions.stop(stop.failure() === null ? (options.finishMs ?? FINISH_MS) : 0)
  await work[Symbol.asyncDispose]()
  await workIdle[Symbol.asyncDispose]()
  await watchIdle[Symbol.asyncDispose]()
  await watch[Symbol.asyncDispose]()
  log.info({ workerId: registered.id }, 'the worker has stopped')
  const failure = stop.failure()
  if (failure !== null) throw failure
}

/** Ends the worker when an engine does not work any more. */
async function checkEngines(engines: readonly Engine[], stop: Stopper): Promise<void> {
  await engineDevices(engines).catch((error: unknown) => stop.fail(error))
}

async function evaluateJob(bench: Workbench, workerId: string, job: ShardJob, stop: Stopper): Promise<void> {
  const { platform, engines } = bench
  // A thread that died while there was nothing to do is not the next run's fault.
  await checkEngines(engines, stop)
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
