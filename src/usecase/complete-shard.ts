import { denseConfusion, taskAccumulator, type Task, type TaskReport, type TaskState } from '../metric/index.ts'
import type { Transaction } from '../store/index.ts'
import type { ShardClaim } from './claim-shard.ts'
import type { Platform } from './platform.ts'
import { runProgress, writeProgress } from './report-progress.ts'
import { holdsClaim } from './shard-fence.ts'

/** What came of evaluating a shard. */
export interface ShardOutcome {
  readonly task: Task
  /** Class names of the metrics. */
  readonly classes: readonly string[]
  readonly threshold: number
  /** Accumulator state of the shard. */
  readonly state: TaskState
  readonly speedAt: (runSamples: number) => number
  /** Ends the shard's job in the same transaction; false when the job is somebody else's. */
  readonly completeJob: (tx: Transaction) => Promise<boolean>
}

/**
 * Counts a shard: its state and DONE are written together, so that it counts once, whatever dies when. The last shard of a run ends it:
 * states are merged, metrics computed and written, and the run has SUCCEEDED, all in the same transaction.
 * @returns false when the claim counts no more; then nothing is written.
 */
export async function completeShard(
  { store, clock }: Platform,
  claim: ShardClaim,
  outcome: ShardOutcome,
): Promise<boolean> {
  const { run, shard, firstRow, endRow } = claim
  return await store.prisma.$transaction(async (tx) => {
    // The job's row before the shard's, in the order in which the queue locks them when it gives a job out.
    if (!(await holdsClaim(tx, claim)) || !(await outcome.completeJob(tx))) return false
    // As JSON text: Prisma's own way is slow for the hundred thousands of numbers that a state may have.
    await tx.$executeRaw`
      update "Shard" set status = 'DONE', samples = ${endRow - firstRow}, state = ${JSON.stringify(outcome.state)}::json,
        "finishedAt" = ${clock()}
      where "runId" = ${run.id}::uuid and index = ${shard}`
    const shards = await tx.shard.findMany({ where: { runId: run.id }, select: { status: true, samples: true } })
    const last = shards.every(({ status }) => status === 'DONE')
    const accumulator = taskAccumulator(outcome.task, { classes: outcome.classes, threshold: outcome.threshold })
    const merged =
      last && shards.length > 1
        ? (await loadStates(tx, run.id)).reduce((sum, state) => accumulator.merge(sum, state), accumulator.empty())
        : outcome.state
    const counted = shards.reduce((sum, { samples }) => sum + Number(samples), 0)
    const progress = runProgress(run.total, counted, accumulator.running(merged), outcome.speedAt)
    await writeProgress(tx, store.events, run.id, progress)
    if (last) {
      const report = accumulator.report(merged)
      await writeReport(tx, run.id, report)
      if (isTooLarge(report.confusionMatrix)) {
        const message = `the confusion matrix is not kept: it has the square of ${outcome.classes.length} cells`
        await store.events.append(tx, run.id, 'LOG', { level: 'warning', message })
      }
      await tx.run.update({ where: { id: run.id }, data: { status: 'SUCCEEDED', finishedAt: clock() } })
      await store.events.append(tx, run.id, 'STATUS', { status: 'SUCCEEDED' })
    }
    return true
  })
}

async function loadStates(tx: Transaction, runId: string): Promise<TaskState[]> {
  const shards = await tx.shard.findMany({ where: { runId }, orderBy: { index: 'asc' }, select: { state: true } })
  return shards.map(({ state }) => state as unknown as TaskState)
}

/** As JSON text: Prisma's own way takes seconds for the thousands of metrics and the million cells of a thousand classes. */
async function writeReport(tx: Transaction, runId: string, report: TaskReport): Promise<void> {
  const { metrics, confusionMatrix, scores, reliability } = report
  // Numbers as text, which holds infinities, and every digit that JSON does.
  const text = (value: number | null | undefined): string | null => (value == null ? null : String(value))
  const rows = metrics.map(({ value, interval, binningError, ...metric }, position) => ({
    ...metric,
    position,
    value: text(value),
    low: text(interval?.low),
    high: text(interval?.high),
    intervalMethod: interval?.method ?? null,
    binningError: text(binningError),
  }))
  await tx.$executeRaw`
    insert into "Metric" ("runId", position, name, average, class, value, reason, low, high, "intervalMethod", "binningError")
    select ${runId}::uuid, position, name, average, class, value::float8, reason, low::float8, high::float8, "intervalMethod",
      "binningError"::float8
    from json_to_recordset(${JSON.stringify(rows)}::json)
      as metric (position integer, name text, average text, class text, value text, reason text, low text, high text,
        "intervalMethod" text, "binningError" text)`
  const histograms = scores.map((histogram, position) => ({ ...histogram, position }))
  await tx.$executeRaw`
    insert into "ScoreHistogram" ("runId", position, class, bins)
    select ${runId}::uuid, position, class, bins from json_to_recordset(${JSON.stringify(histograms)}::json)
      as histogram (position integer, class text, bins json)`
  if (reliability !== null)
    await tx.$executeRaw`update "Run" set reliability = ${JSON.stringify(reliability)}::json where id = ${runId}::uuid`
  const confusion = confusionCells(confusionMatrix)
  if (confusion !== null)
    await tx.$executeRaw`update "Run" set confusion = ${JSON.stringify(confusion)}::json where id = ${runId}::uuid`
}

/** Whether a matrix would be too large to hand out. */
const isTooLarge = (confusion: TaskReport['confusionMatrix']): boolean =>
  confusion?.kind === 'CLASSES' && confusion.classes.length > MAX_MATRIX_CLASSES

/** [[…]] for classes, one 2×2 for each label. */
function confusionCells(confusion: TaskReport['confusionMatrix']): unknown {
  switch (confusion?.kind) {
    case undefined:
      return null
    case 'CLASSES':
      return isTooLarge(confusion) ? null : denseConfusion(confusion)
    case 'LABELS':
      return confusion.counts
  }
}

/** Classes up to which `denseConfusion` gives all cells. */
const MAX_MATRIX_CLASSES = 2000
