import { AppError } from '../error.ts'
import type { Accumulator, MetricValue, Task } from './accumulator.ts'
import { agreement } from './agreement.ts'
import { classCounts, type ClassCounts } from './class-counts.ts'
import { classRatios, entry, macroRatios, oneClassRatios, positiveRatios } from './class-ratios.ts'
import { combine, prepared } from './combine.ts'
import { classConfusion, labelConfusion, type Confusion } from './confusion.ts'
import { exactMean } from './dyadic.ts'
import { labelCounts, type LabelCounts, type SampleRatio } from './label-counts.ts'
import type { LogitsBatch } from './logits-batch.ts'
import { lossValue, meanLoss, type LossState, type LossValue } from './mean-loss.ts'
import { regressionSums, type RegressionSums } from './regression.ts'
import { regressionValues } from './regression-values.ts'
import { scorer } from './score-batch.ts'

/** Everything that is known when a run ends. */
export interface TaskReport {
  readonly samples: number
  readonly metrics: readonly MetricValue[]
  /** Null for REGRESSION. */
  readonly confusionMatrix: Confusion | null
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
type ClassState = { counts: ClassCounts; loss: LossState }
type LabelState = { counts: LabelCounts; loss: LossState }

/** All metrics of a task over batches of logits. */
export interface TaskAccumulator<State = TaskState> extends Accumulator<LogitsBatch, State, TaskReport> {
  /** Costs O(classes), whatever the number of samples. */
  running(state: State): RunningView
}

/** What a task needs to be told. */
export interface TaskOptions {
  /**
   * Names by index: BINARY two (negative, positive), MULTICLASS and MULTILABEL one for each logit, REGRESSION of
   * outputs, or none.
   */
  readonly classes: readonly string[]
  /** Probability from which a BINARY or MULTILABEL answer is positive; 0.5 by default. MULTICLASS takes the largest. */
  readonly threshold?: number | undefined
}

/**
 * The accumulator of a task. It keeps scratch arrays: use one for each stream of batches.
 * `update` throws AppError DATASET_LABEL_UNKNOWN for a target that is no class, DATASET_SHAPE_MISMATCH for logits of
 * another width.
 * @throws AppError BAD_INPUT for a number of classes that the task cannot have.
 */
export function taskAccumulator(task: Task, { classes, threshold = 0.5 }: TaskOptions): TaskAccumulator {
  switch (task) {
    case 'BINARY':
      if (classes.length !== 2)
        throw new AppError('BAD_INPUT', `BINARY has two classes, negative and positive; ${classes.length} are named`)
      return ofClasses('BINARY', classes, threshold)
    case 'MULTICLASS':
      if (classes.length < 2)
        throw new AppError('BAD_INPUT', `MULTICLASS needs two classes at least; ${classes.length} are named`)
      return ofClasses('MULTICLASS', classes, threshold)
    case 'MULTILABEL':
      if (classes.length === 0) throw new AppError('BAD_INPUT', 'MULTILABEL needs one class at least; none is named')
      return ofLabels(classes, threshold)
    case 'REGRESSION':
      return ofOutputs(classes)
  }
}

function ofClasses(
  task: 'BINARY' | 'MULTICLASS',
  classes: readonly string[],
  threshold: number,
): TaskAccumulator<ClassState> {
  const parts = combine({ counts: classCounts(classes.length), loss: meanLoss() })
  const right = (counts: ClassCounts): number => counts.hits.reduce((sum, hit) => sum + hit, 0)
  return {
    ...prepared(scorer(task, classes.length, threshold), parts),
    compute(state) {
      const { counts, loss } = parts.compute(state)
      return {
        samples: counts.samples,
        metrics: [
          accuracy(right(counts), counts.samples),
          ...agreement(counts),
          ...(task === 'BINARY' ? positiveRatios(counts, 1, classes[1]!) : []),
          ...classRatios(counts, classes),
          logLoss(loss),
        ],
        confusionMatrix: classConfusion(counts, classes),
      }
    },
    running({ counts, loss }) {
      const ratios = task === 'BINARY' ? oneClassRatios(counts, 1) : macroRatios(counts)
      return running(counts.samples, loss, right(counts), ratios)
    },
  }
}

function ofLabels(classes: readonly string[], threshold: number): TaskAccumulator<LabelState> {
  const parts = combine({ counts: labelCounts(classes.length), loss: meanLoss() })
  return {
    ...prepared(scorer('MULTILABEL', classes.length, threshold), parts),
    compute(state) {
      const { counts, loss } = parts.compute(state)
      return {
        samples: counts.samples,
        metrics: [
          // All labels of a sample have to be right: subset accuracy, as sklearn's accuracy_score.
          accuracy(counts.exact, counts.samples),
          hammingLoss(counts),
          ...classRatios(counts, classes),
          samplesAverage('precision', counts.precision, 'no sample was predicted to have a label'),
          samplesAverage('recall', counts.recall, 'no sample has a label'),
          samplesAverage('f1', counts.f1, 'no sample has a label or was predicted to have one'),
          logLoss(loss),
        ],
        confusionMatrix: labelConfusion(counts, classes),
      }
    },
    running: ({ counts, loss }) => running(counts.samples, loss, counts.exact, macroRatios(counts)),
  }
}

function ofOutputs(outputs: readonly string[]): TaskAccumulator<RegressionSums> {
  return {
    ...regressionSums(),
    compute: (state) => ({
      samples: state.samples,
      metrics: regressionValues(state, outputs),
      confusionMatrix: null,
    }),
    running: (state) => ({
      samples: state.samples,
      loss: regressionValues(state, outputs).find(({ name }) => name === 'mse')!.value,
      accuracy: null,
      precision: null,
      recall: null,
      f1: null,
    }),
  }
}

const accuracy = (right: number, samples: number): MetricValue =>
  entry('accuracy', null, null, samples === 0 ? null : right / samples, 'there are no samples')

/** Share of the labels that are wrong, of all labels of all samples. */
const hammingLoss = ({ samples, hits, predicted, actual }: LabelCounts): MetricValue => {
  const wrong = hits.reduce((sum, hit, k) => sum + predicted[k]! + actual[k]! - 2 * hit, 0)
  return entry(
    'hammingLoss',
    null,
    null,
    samples === 0 ? null : wrong / (samples * hits.length),
    'there are no samples',
  )
}

const logLoss = ({ value, reason }: LossValue): MetricValue => entry('logLoss', null, null, value, reason ?? '')

const samplesAverage = (name: string, { sum, defined }: SampleRatio, reason: string): MetricValue =>
  entry(name, 'samples', null, defined === 0 ? null : exactMean(sum, defined), reason)

function running(
  samples: number,
  loss: LossState,
  right: number,
  ratios: Pick<RunningView, 'precision' | 'recall' | 'f1'>,
): RunningView {
  return {
    samples,
    loss: lossValue(loss).value,
    accuracy: samples === 0 ? null : right / samples,
    ...ratios,
  }
}
