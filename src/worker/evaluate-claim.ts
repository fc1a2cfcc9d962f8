import { performance } from 'node:perf_hooks'
import type { ComputeDType, EngineName, Session, Wish } from '../engine/index.ts'
import { evaluateShard } from '../evaluation/index.ts'
import type { TaskOptions } from '../metric/index.ts'
import {
  completeShard,
  loadRunPlan,
  recordBatchSize,
  recordDevice,
  reportProgress,
  writeSamples,
  type Platform,
  type RunPlan,
  type ShardClaim,
} from '../usecase/index.ts'
import type { ShardJob } from '../store/index.ts'
import { borrowSession } from './borrow-session.ts'
import { deviceLines } from './describe-device.ts'
import { openColumns, type OpenColumns } from './open-columns.ts'
import { progressWriter } from './progress-writer.ts'
import { sampleKeeper } from './sample-keeper.ts'
import { speedometer } from './speedometer.ts'
import type { Workbench } from './workbench.ts'

/** Somebody else has the shard, or its run has ended: what this worker does about it counts no more. */
export class ClaimLost extends Error {
  override readonly name = 'ClaimLost'
}

/**
 * Evaluates a shard and counts it.
 * @throws ClaimLost; the reason of the job's signal; AppError for what will fail the same way next time; anything else for what may not.
 */
export async function evaluateClaim(bench: Workbench, claim: ShardClaim, job: ShardJob): Promise<void> {
  const { platform, blobs } = bench
  const { signal } = job
  const plan = await loadRunPlan(platform, claim.run)
  await using lease = blobs.lease()
  // The samples begin to come while the session is loaded, and go on while the first of them are evaluated.
  await using columns = openColumns(plan, lease, signal)
  const ready = await borrowSession(bench, plan, wishOfRun(claim.run), signal)
  await using borrowed = ready.borrowed
  const { engine, device } = ready.on
  const used = { device: device.id, engine: engine.name, engineVersion: engine.version, choice: ready.choice }
  const record = async () =>
    recordDevice(platform, claim, used, deviceLines(plan, claim, ready, await columns.missingBytes(), bench.threads))
  try {
    await evaluateRows(platform, claim, plan, borrowed.session, columns, job, record())
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
  columns: OpenColumns,
  job: ShardJob,
  /** Written while the first batches are evaluated: whether the claim still holds. */
  recorded: Promise<boolean>,
): Promise<void> {
  const { run, firstRow, endRow, counted } = claim
  const { graph, task, fit, slices } = plan
  const options: TaskOptions = { ...plan.options, classes: fit.classes }
  const speedAt = speedometer(() => performance.now(), counted)
  const lost = new AbortController()
  const leave = (error: Error) => {
    lost.abort(error)
  }
  recorded.then((held) => {
    if (!held) leave(new ClaimLost())
  }, leave)
  const writer = progressWriter(
    async ({ samples, running }) => {
      if (!(await reportProgress(platform, claim, { samples, running, speedAt }))) leave(new ClaimLost())
    },
    (error) => platform.log.warn({ err: error, runId: run.id }, 'progress could not be written'),
  )
  const keeper = run.keepsSamples ? sampleKeeper(task, options, (rows) => writeSamples(platform, claim, rows)) : null
  try {
    const evaluation = evaluateShard({
      session,
      graph,
      task,
      fit,
      options,
      slices,
      columns: columns.readers,
      rows: { start: firstRow, end: endRow },
      batchSize: run.batchSize,
      signal: AbortSignal.any([job.signal, lost.signal]),
      onProgress: (progress) => {
        writer.report(progress)
      },
      onBatch: keeper === null ? undefined : (batch) => keeper.keep(batch),
      onSplit: (batchSize) => {
        recordBatchSize(platform, claim, batchSize).then((held) => {
          if (!held) leave(new ClaimLost())
        }, leave)
      },
      clock: performance,
    })
    const { state, slices: sliceStates } = await evaluation.catch(async (error: unknown) => {
      // Damaged samples can show as anything: what is wrong with the bytes goes before what came of them.
      if (!job.signal.aborted && !lost.signal.aborted) await columns.whole()
      throw error
    })
    must(await recorded)
    await keeper?.close()
    await columns.whole()
    await writer.close()
    must(
      await completeShard(platform, claim, {
        task,
        options,
        state,
        slices,
        sliceStates,
        speedAt,
        completeJob: (tx) => job.complete(tx),
        signal: job.signal,
      }),
    )
  } finally {
    await writer.close()
  }
}

/** What a run asks for, as `startRun` wrote it. */
const wishOfRun = ({ device, engine, computeDType }: ShardClaim['run']): Wish => ({
  device,
  engine: engine as EngineName | 'auto',
  computeDType: computeDType as ComputeDType,
})

function must(claimHolds: boolean): void {
  if (!claimHolds) throw new ClaimLost()
}
