import { performance } from 'node:perf_hooks'
import type { Session } from '../engine/index.ts'
import { evaluateShard, fileRows, type RowReader } from '../evaluation/index.ts'
import {
  completeShard,
  loadRunPlan,
  logRun,
  recordDevice,
  reportProgress,
  type Platform,
  type RunPlan,
  type ShardClaim,
} from '../usecase/index.ts'
import type { BlobLease } from './blob-cache/index.ts'
import type { ShardJob } from '../store/index.ts'
import { borrowSession } from './borrow-session.ts'
import { deviceLines } from './describe-device.ts'
import { progressWriter } from './progress-writer.ts'
import { speedometer } from './speedometer.ts'
import type { Workbench } from './workbench.ts'

/** Somebody else has the shard, or its run has ended: what this worker does about it counts no more. */
export class ClaimLost extends Error {
  override readonly name = 'ClaimLost'
}

/** Milliseconds of waiting for the samples from which the user is told why nothing moved. */
const WORTH_TELLING_MS = 1000

/**
 * Evaluates a shard and counts it.
 * @throws ClaimLost; the reason of the job's signal; AppError for what will fail the same way next time; anything else for what may not.
 */
export async function evaluateClaim(bench: Workbench, claim: ShardClaim, job: ShardJob): Promise<void> {
  const { platform, blobs } = bench
  const { signal } = job
  const plan = await loadRunPlan(platform, claim.run)
  await using lease = blobs.lease()
  const hashes = plan.columns.map(({ storageHash }) => storageHash)
  // The samples come while the session is loaded.
  const columnFiles = Promise.all(hashes.map((hash) => lease.file(hash, signal)))
  columnFiles.catch(() => undefined)
  const ready = await borrowSession(bench, plan, claim.run.device, signal)
  await using borrowed = ready.borrowed
  const { engine, device } = ready.on
  must(
    await recordDevice(
      platform,
      claim,
      { device: device.id, engine: engine.name, engineVersion: engine.version },
      deviceLines(plan, claim, ready, bench.threads),
    ),
  )
  const begin = performance.now()
  await columnFiles
  const waited = performance.now() - begin
  if (waited > WORTH_TELLING_MS) {
    const message = `the samples were fetched; that took ${(waited / 1000).toFixed(1)} s more`
    await logRun(platform, claim.run.id, [{ level: 'info', message }])
  }
  await using columns = await openColumns(plan, lease)
  try {
    await evaluateRows(platform, claim, plan, borrowed.session, columns.readers, job)
  } catch (error) {
    // Whatever it was, the session may still have batches under way; only an abort leaves it in order.
    if (!signal.aborted && !(error instanceof ClaimLost)) borrowed.discard()
    throw error
  }
}

async function evaluateRows(
  platform: Platform,
  claim: ShardClaim,
  plan: RunPlan,
  session: Session,
  columns: ReadonlyMap<string, RowReader>,
  job: ShardJob,
): Promise<void> {
  const { run, firstRow, endRow, counted } = claim
  const { graph, task, fit } = plan
  const speedAt = speedometer(() => performance.now(), counted)
  const lost = new AbortController()
  const writer = progressWriter(
    async ({ samples, running }) => {
      if (!(await reportProgress(platform, claim, { samples, running, speedAt }))) lost.abort(new ClaimLost())
    },
    (error) => platform.log.warn({ err: error, runId: run.id }, 'progress could not be written'),
  )
  try {
    const { state } = await evaluateShard({
      session,
      graph,
      task,
      fit,
      threshold: run.threshold,
      columns,
      rows: { start: firstRow, end: endRow },
      batchSize: run.batchSize,
      signal: AbortSignal.any([job.signal, lost.signal]),
      onProgress: (progress) => {
        writer.report(progress)
      },
      clock: performance,
    })
    await writer.close()
    must(
      await completeShard(platform, claim, {
        task,
        classes: fit.classes,
        threshold: run.threshold,
        state,
        speedAt,
        completeJob: (tx) => job.complete(tx),
      }),
    )
  } finally {
    await writer.close()
  }
}

function must(claimHolds: boolean): void {
  if (!claimHolds) throw new ClaimLost()
}

interface OpenColumns extends AsyncDisposable {
  readonly readers: ReadonlyMap<string, RowReader>
}

async function openColumns({ columns, rows }: RunPlan, lease: BlobLease): Promise<OpenColumns> {
  const readers = new Map<string, RowReader & AsyncDisposable>()
  const close = async () => {
    for (const reader of readers.values()) await reader[Symbol.asyncDispose]()
  }
  try {
    for (const { name, dtype, shape, storageHash } of columns)
      readers.set(name, await fileRows({ path: await lease.file(storageHash), dtype, shape, rows }))
  } catch (error) {
    await close()
    throw error
  }
  return { readers, [Symbol.asyncDispose]: close }
}
