import { AppError } from '../error.ts'
import { DEFAULT_METRIC_OPTIONS, taskAccumulator, type MetricOptions, type Task } from '../metric/index.ts'
import type { Prisma, RunRow } from '../store/index.ts'

/** What a client may ask of metrics, besides the threshold. */
export interface MetricOptionsInput {
  readonly topK?: readonly number[] | null | undefined
  readonly beta?: number | null | undefined
  readonly costRatio?: number | null | undefined
  readonly ignoreIndex?: number | null | undefined
  readonly classWeights?: readonly number[] | null | undefined
  /** For MULTILABEL one for each label. */
  readonly thresholds?: readonly number[] | null | undefined
  readonly calibrationBins?: number | null | undefined
}

/** What `RunConfiguration.metrics` shows: all of it. */
export interface FullMetricOptions {
  readonly topK: readonly number[]
  readonly beta: number
  readonly costRatio: number
  readonly ignoreIndex: number | null
  readonly classWeights: readonly number[] | null
  readonly thresholds: readonly number[] | null
  readonly calibrationBins: number
}

const DEFAULTS: FullMetricOptions = {
  ...DEFAULT_METRIC_OPTIONS,
  ignoreIndex: null,
  classWeights: null,
  thresholds: null,
}

/** The k of one run. */
const MAX_TOP_K = 20

/** What was given, without what was left out; null for nothing. */
export function metricOptionsJson(input: MetricOptionsInput | null | undefined): Prisma.InputJsonObject | null {
  const given = Object.entries(input ?? {}).filter(([, value]) => value != null)
  return given.length === 0
    ? null
    : Object.fromEntries<Prisma.InputJsonValue>(given as [string, Prisma.InputJsonValue][])
}

/** As a run's row keeps them, with defaults. */
export const fullMetricOptions = ({ metricOptions }: Pick<RunRow, 'metricOptions'>): FullMetricOptions => ({
  ...DEFAULTS,
  ...(metricOptions as Partial<FullMetricOptions> | null),
})

/** What the accumulators of a run are told. */
export function runMetricOptions(run: Pick<RunRow, 'metricOptions' | 'threshold'>): MetricOptions {
  const { thresholds, ignoreIndex, classWeights, ...rest } = fullMetricOptions(run)
  return {
    ...rest,
    threshold: thresholds ?? run.threshold,
    ignoreIndex: ignoreIndex ?? undefined,
    classWeights: classWeights ?? undefined,
  }
}

/** @throws AppError BAD_INPUT for what the task cannot have. */
export function checkMetricOptions(task: Task, classes: readonly string[], options: MetricOptions): void {
  const { threshold, topK = [] } = options
  if (Array.isArray(threshold)) {
    if (task !== 'MULTILABEL')
      throw new AppError('BAD_INPUT', `thresholds are for the labels of MULTILABEL; ${task} takes one threshold`)
    const bad = (threshold as readonly number[]).find((value) => !(value >= 0 && value <= 1))
    if (bad !== undefined)
      throw new AppError('BAD_INPUT', `a threshold is ${bad}; probabilities from 0 to 1 are expected`)
  }
  if (topK.length > MAX_TOP_K)
    throw new AppError('BAD_INPUT', `topK has ${topK.length} numbers; ${MAX_TOP_K} at most can be`)
  taskAccumulator(task, { ...options, classes })
}
