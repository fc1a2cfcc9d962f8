import type { Accumulator, MetricValue } from './accumulator.ts'
import type { ReliabilityBin } from './calibration.ts'
import type { Confusion } from './confusion.ts'
import type { IntervalOptions } from './intervals.ts'
import type { LogitsBatch } from './logits-batch.ts'
import type { ScoringOptions } from './score-batch.ts'
import type { ClassScores } from './score-curves.ts'

/** Everything that is known when a run ends. */
export interface TaskReport {
  /** Samples that counted. */
  readonly samples: number
  readonly metrics: readonly MetricValue[]
  /** Null for REGRESSION. */
  readonly confusionMatrix: Confusion | null
  /** What curves are drawn from, see `curvePoints`. Empty for REGRESSION. */
  readonly scores: readonly ClassScores[]
  /** The reliability diagram; null for REGRESSION. */
  readonly reliability: readonly ReliabilityBin[] | null
}

/** What is worth watching while a run goes on. Null where it is undefined so far, or no metric of the task. */
export interface RunningView {
  readonly samples: number
  /** Log loss; for REGRESSION the mean squared error. */
  readonly loss: number | null
  readonly accuracy: number | null
  /** For BINARY the positive class's, else the macro average. */
  readonly precision: number | null
  readonly recall: number | null
  readonly f1: number | null
}

/** All metrics of a task over batches of logits. */
export interface TaskAccumulator<State> extends Omit<Accumulator<LogitsBatch, State, TaskReport>, 'replicate'> {
  /** As `compute`, with intervals. */
  report(state: State, intervals?: IntervalOptions): TaskReport
  /** Costs O(classes), whatever the number of samples. */
  running(state: State): RunningView
}

/** What the metrics are asked to be. */
export interface MetricOptions extends ScoringOptions {
  /** MULTICLASS: the k of top-k accuracies; 2, 3 and 5 by default. Those that are not below the number of classes are left out. */
  readonly topK?: readonly number[] | undefined
  /** How many times as much recall counts as precision in fBeta; 2 by default. */
  readonly beta?: number | undefined
  /** What a missed positive costs, where a false alarm costs 1; 1 by default. */
  readonly costRatio?: number | undefined
  /** Bins of the reliability diagram; 15 by default. */
  readonly calibrationBins?: number | undefined
}

/** What a task needs to be told. */
export interface TaskOptions extends MetricOptions {
  /**
   * Names by index: BINARY two (negative, positive), MULTICLASS and MULTILABEL one for each logit, REGRESSION of
   * outputs, or none.
   */
  readonly classes: readonly string[]
}

/** What those are that were left out. */
export const DEFAULT_METRIC_OPTIONS = { topK: [2, 3, 5], beta: 2, costRatio: 1, calibrationBins: 15 } as const

/** Options with their defaults. */
export type FullTaskOptions = ScoringOptions & {
  readonly [Name in 'classes' | 'topK' | 'beta' | 'costRatio' | 'calibrationBins']: NonNullable<TaskOptions[Name]>
}
