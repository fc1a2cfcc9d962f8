import { AppError } from '../error.ts'
import type { Accumulator, MetricValue, Task } from './accumulator.ts'
import type { ReliabilityBin } from './calibration.ts'
import type { Confusion } from './confusion.ts'
import type { IntervalOptions } from './intervals.ts'
import type { LogitsBatch } from './logits-batch.ts'
import { ofClasses, type ClassState } from './of-classes.ts'
import { ofLabels, type LabelState } from './of-labels.ts'
import { ofOutputs } from './of-outputs.ts'
import type { RegressionSums } from './regression.ts'
import type { ClassScores } from './score-curves.ts'
import { thresholds, type ScoringOptions } from './score-batch.ts'

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

/** State of a task: plain JSON. */
export type TaskState = ClassState | LabelState | RegressionSums

/** All metrics of a task over batches of logits. */
export interface TaskAccumulator<State = TaskState> extends Omit<
  Accumulator<LogitsBatch, State, TaskReport>,
  'replicate'
> {
  /** As `compute`, with intervals. */
  report(state: State, intervals?: IntervalOptions): TaskReport
  /** Costs O(classes), whatever the number of samples. */
  running(state: State): RunningView
}

/** What a task needs to be told. */
export interface TaskOptions extends ScoringOptions {
  /**
   * Names by index: BINARY two (negative, positive), MULTICLASS and MULTILABEL one for each logit, REGRESSION of
   * outputs, or none.
   */
  readonly classes: readonly string[]
  /** MULTICLASS: the k of top-k accuracies; 2, 3 and 5 by default. Those that are not below the number of classes are left out. */
  readonly topK?: readonly number[] | undefined
  /** How many times as much recall counts as precision in fBeta; 2 by default. */
  readonly beta?: number | undefined
  /** What a missed positive costs, where a false alarm costs 1; 1 by default. */
  readonly costRatio?: number | undefined
  /** Bins of the reliability diagram; 15 by default. */
  readonly calibrationBins?: number | undefined
}

/** Options with their defaults. */
export type FullTaskOptions = ScoringOptions & {
  readonly [Name in 'classes' | 'topK' | 'beta' | 'costRatio' | 'calibrationBins']: NonNullable<TaskOptions[Name]>
}

/**
 * The accumulator of a task. It keeps scratch arrays: use one for each stream of batches.
 * `update` throws AppError DATASET_LABEL_UNKNOWN for a target that is no class, DATASET_SHAPE_MISMATCH for logits of
 * another width.
 * @throws AppError BAD_INPUT for options that the task cannot have.
 */
export function taskAccumulator(task: Task, given: TaskOptions): TaskAccumulator {
  const options = withDefaults(task, given)
  switch (task) {
    case 'BINARY':
    case 'MULTICLASS':
      return ofClasses(task, options)
    case 'MULTILABEL':
      return ofLabels(options)
    case 'REGRESSION':
      return ofOutputs(options)
  }
}

function withDefaults(task: Task, options: TaskOptions): FullTaskOptions {
  const { classes, classWeights } = options
  const { topK = [2, 3, 5], beta = 2, costRatio = 1, calibrationBins = 15 } = options
  checkClasses(task, classes)
  const refuse = (what: string): never => {
    throw new AppError('BAD_INPUT', what)
  }
  if (task !== 'REGRESSION') thresholds(options, task === 'MULTILABEL' ? classes.length : 1)
  if (classWeights !== undefined) {
    if (task === 'MULTILABEL' || task === 'REGRESSION')
      refuse(`class weights are for samples of one class; ${task} has none`)
    if (classWeights.length !== classes.length)
      refuse(`${classWeights.length} class weights were given for ${classes.length} classes`)
    if (classWeights.some((weight) => !(weight >= 0 && weight < Infinity)))
      refuse(`class weights are numbers from 0 on; ${classWeights.join(', ')} were given`)
  }
  if (topK.some((k) => !(Number.isInteger(k) && k >= 1)))
    refuse(`topK has whole numbers from 1 on; ${topK.join(', ')} were given`)
  if (!(beta > 0 && beta < Infinity)) refuse(`beta is a positive number; ${beta} was given`)
  if (!(costRatio > 0 && costRatio < Infinity)) refuse(`the cost ratio is a positive number; ${costRatio} was given`)
  if (!(Number.isInteger(calibrationBins) && calibrationBins >= 1 && calibrationBins <= 1000))
    refuse(`calibration takes 1 to 1000 bins; ${calibrationBins} was given`)
  const ks = [...new Set(topK)].filter((k) => k < classes.length).sort((a, b) => a - b)
  return { ...options, topK: ks, beta, costRatio, calibrationBins }
}

function checkClasses(task: Task, { length }: readonly string[]): void {
  if (task === 'BINARY' && length !== 2)
    throw new AppError('BAD_INPUT', `BINARY has two classes, negative and positive; ${length} are named`)
  if (task === 'MULTICLASS' && length < 2)
    throw new AppError('BAD_INPUT', `MULTICLASS needs two classes at least; ${length} are named`)
  if (task === 'MULTILABEL' && length === 0)
    throw new AppError('BAD_INPUT', 'MULTILABEL needs one class at least; none is named')
}
