import type { Graph } from '../architecture/index.ts'
import type { Session } from '../engine/index.ts'
import { AppError } from '../error.ts'
import {
  sliceAccumulator,
  taskAccumulator,
  type LogitsBatch,
  type MetricOptions,
  type SliceStates,
  type Task,
  type TaskState,
} from '../metric/index.ts'
import type { DatasetFit } from './dataset-fit.ts'
import { batchDecoder, type DecodedBatch } from './decode-batch.ts'
import type { SliceFit } from './fit-slices.ts'
import { checkFinite, logitsOf } from './logits.ts'
import { pipeline } from './pipeline.ts'
import { progressReporter, type Clock, type Progress } from './progress.ts'
import type { RowReader } from './row-reader.ts'

/** A range of rows and all that is needed to evaluate it. */
export interface Shard {
  readonly session: Session
  readonly graph: Graph
  readonly task: Task
  readonly fit: DatasetFit
  /** What the metrics are asked to be. */
  readonly options?: MetricOptions | undefined
  /** Divisions of the samples to be counted besides. */
  readonly slices?: readonly SliceFit[] | undefined
  /** By column name: those that the fit names. */
  readonly columns: ReadonlyMap<string, RowReader>
  readonly rows: { readonly start: number; readonly end: number }
  /** Samples of a batch; it changes memory and speed, not results. */
  readonly batchSize: number
  readonly signal: AbortSignal
  /** Called at most five times a second, and not when the shard is done: that is what the result says. */
  readonly onProgress: (progress: Progress) => void
  /** Called when the engine executes batches in parts of so many samples, because its device's memory holds no more. */
  readonly onSplit?: ((samples: number) => void) | undefined
  /** Called with every batch in order, and waited for. Its arrays are the callee's. */
  readonly onBatch?: ((batch: LogitsBatch) => Promise<void> | void) | undefined
  readonly clock: Clock
}

/** What a shard adds to its run. */
export interface ShardResult {
  readonly samples: number
  /** Plain JSON, to be merged with those of other shards. */
  readonly state: TaskState
  /** The same of each slicing key. */
  readonly slices: readonly SliceStates[]
}

/**
 * Evaluates the rows of a shard, each exactly once: batches are read and converted while the engine executes others, and counted
 * in order.
 * @throws the reason of `signal` at once when it is aborted (batches that the engine has already are left to it), AppError of the
 * engine, LOGITS_NOT_FINITE naming the sample, DATASET_LABEL_UNKNOWN.
 */
export async function evaluateShard(shard: Shard): Promise<ShardResult> {
  const { session, graph, task, fit, options, columns, rows, batchSize, signal, clock, onProgress, onSplit, onBatch } =
    shard
  const { slices = [] } = shard
  if (!(Number.isInteger(batchSize) && batchSize >= 1))
    throw new AppError('BAD_INPUT', `the batch size is ${batchSize}; a whole number from 1 is expected`)
  const accumulator = taskAccumulator(task, { ...options, classes: fit.classes })
  const decoder = batchDecoder(graph, fit, slices, columns)
  const report = progressReporter(rows.end - rows.start, clock, onProgress)
  const parts = sliceAccumulator(task, { ...options, classes: fit.classes })
  const sliced: SliceStates[] = slices.map(() => ({}))
  let state = accumulator.empty()
  let samples = 0
  let most = batchSize

  // Few samples are shared among the lanes.
  const size = Math.min(batchSize, Math.max(1, Math.ceil((rows.end - rows.start) / session.lanes)))
  await pipeline({
    count: Math.ceil((rows.end - rows.start) / size),
    lanes: session.lanes,
    signal,
    decode(index) {
      const first = rows.start + index * size
      return decoder.decode(first, Math.min(size, rows.end - first))
    },
    async execute(batch: DecodedBatch) {
      const { outputs, inputs, split } = await session.run(batch.inputs)
      if (split !== undefined && split < most) onSplit?.((most = split))
      decoder.recycle(inputs)
      return { batch, logits: outputs.get(fit.output) }
    },
    async consume({ batch, logits }) {
      const { first, n, targets, weights } = batch
      const values = logitsOf(logits, n)
      checkFinite(task, values, n, (sample) => first + sample)
      const counted: LogitsBatch = { first, n, width: values.length / n, logits: values, targets, weights }
      state = accumulator.update(state, counted)
      batch.slices.forEach((codes, key) => parts.update(sliced[key]!, counted, codes))
      samples += n
      report(samples, () => accumulator.running(state))
      await onBatch?.(counted)
    },
  })
  return { samples, state, slices: sliced }
}
