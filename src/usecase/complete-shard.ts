import type { SliceFit } from '../evaluation/index.ts'
import {
  reportInThread,
  sliceAccumulator,
  taskAccumulator,
  type SliceStates,
  type Task,
  type TaskOptions,
  type TaskState,
} from '../metric/index.ts'
import type { Transaction } from '../store/index.ts'
import type { ShardClaim } from './claim-shard.ts'
import type { Platform } from './platform.ts'
import { runProgress, writeProgress } from './report-progress.ts'
import { holdsClaim } from './shard-fence.ts'
import { isTooLarge, writeReport } from './write-report.ts'
import { namedSlices, writeSlices } from './write-slices.ts'

/** What came of evaluating a shard. */
export interface ShardOutcome {
  readonly task: Task
  /** What the metrics of the run were asked to be. */
  readonly options: TaskOptions
  /** Accumulator state of the shard. */
  readonly state: TaskState
  /** Slicing keys of the run, and the states of the shard's slices. */
  readonly slices: readonly SliceFit[]
  readonly sliceStates: readonly SliceStates[]
  readonly speedAt: (runSamples: number) => number
  /** Ends the shard's job in the same transaction; false when the job is somebody else's. */
  readonly completeJob: (tx: Transaction) => Promise<boolean>
  /** Ends the computation of metrics. */
  readonly signal: AbortSignal
}

/**
 * Counts a shard: its state and DONE are written together, so that it counts once, whatever dies when. The last shard of a run ends it:
 * metrics are computed from the states of all, in a thread and before anything is locked; then they and SUCCEEDED are written with the
 * shard, in the same transaction.
 * @returns false when the claim counts no more; then nothing is written.
 * @throws the reason of the outcome's signal.
 */
export async function completeShard(platform: Platform, claim: ShardClaim, outcome: ShardOutcome): Promise<boolean> {
  for (;;) {
    const merged = await mergeIfLast(platform, claim, outcome)
    const counted = await countShard(platform, claim, outcome, merged)
    if (counted !== 'OTHERS_ENDED') return counted === 'COUNTED'
  }
}

/** States of a whole run. */
interface MergedStates {
  readonly state: TaskState
  readonly slices: readonly SliceStates[]
}

/** The states of the whole run where all other shards are DONE, which they stay; else null. */
async function mergeIfLast(
  { store }: Platform,
  { run, shard }: ShardClaim,
  { task, options, state, sliceStates }: ShardOutcome,
): Promise<MergedStates | null> {
  const others = { runId: run.id, index: { not: shard } }
  if ((await store.prisma.shard.count({ where: { ...others, status: { not: 'DONE' } } })) > 0) return null
  const accumulator = taskAccumulator(task, options)
  const parts = sliceAccumulator(task, options)
  let [merged, slices] = [state, sliceStates]
  // One state at a time: a run may have thousands of them.
  const indexes = await store.prisma.shard.findMany({
    where: others,
    orderBy: { index: 'asc' },
    select: { index: true },
  })
  for (const { index } of indexes) {
    const found = await store.prisma.shard.findUnique({
      where: { runId_index: { runId: run.id, index } },
      select: { state: true, slices: true },
    })
    // Deleted with its run: then the claim holds no more either.
    if (found?.state == null) return null
    merged = accumulator.merge(merged, found.state as unknown as TaskState)
    const own = found.slices as unknown as readonly SliceStates[] | null
    slices = slices.map((states, key) => parts.merge(states, own?.[key] ?? {}))
  }
  return { state: merged, slices }
}

/** @param merged the states of the whole run; null while other shards are not DONE. */
async function countShard(
  { store, clock, programs }: Platform,
  claim: ShardClaim,
  { task, options, state, slices, sliceStates, speedAt, completeJob, signal }: ShardOutcome,
  merged: MergedStates | null,
): Promise<'COUNTED' | 'LOST' | 'OTHERS_ENDED'> {
  const { run, shard, attempt, firstRow, endRow } = claim
  const report = merged === null ? null : await reportInThread({ task, options, ...merged }, programs, signal)
  return await store.prisma.$transaction(async (tx) => {
    // The job's row before the shard's, in the order in which the queue locks them when it gives a job out.
    if (!(await holdsClaim(tx, claim))) return 'LOST'
    const others = await tx.shard.findMany({
      where: { runId: run.id, index: { not: shard } },
      select: { status: true, samples: true },
    })
    const last = others.every(({ status }) => status === 'DONE')
    // The others ended since we looked: the report has to be made first.
    if (last && report === null) return 'OTHERS_ENDED'
    if (!(await completeJob(tx))) return 'LOST'
    // As JSON text: Prisma's own way is slow for the hundred thousands of numbers that a state may have.
    await tx.$executeRaw`
      update "Shard" set status = 'DONE', samples = ${endRow - firstRow}, state = ${JSON.stringify(state)}::json,
        slices = ${slices.length === 0 ? null : JSON.stringify(sliceStates)}::json,
        "finishedAt" = ${clock()}
      where "runId" = ${run.id}::uuid and index = ${shard}`
    await tx.sampleChunk.deleteMany({ where: { runId: run.id, shard, attempt: { not: attempt } } })
    const counted = others.reduce((sum, { samples }) => sum + Number(samples), endRow - firstRow)
    const running = taskAccumulator(task, options).running(merged?.state ?? state)
    await writeProgress(tx, store.events, run.id, runProgress(run.total, counted, running, speedAt))
    if (report !== null) {
      await writeReport(tx, run.id, report)
      await writeSlices(tx, run.id, namedSlices(task, slices, report))
      if (isTooLarge(report.confusionMatrix)) {
        const message = `the confusion matrix is not kept: it has the square of ${options.classes.length} cells`
        await store.events.append(tx, run.id, 'LOG', { level: 'warning', message })
      }
      await tx.run.update({ where: { id: run.id }, data: { status: 'SUCCEEDED', finishedAt: clock() } })
      await store.events.append(tx, run.id, 'STATUS', { status: 'SUCCEEDED' })
    }
    return 'COUNTED'
  })
}
