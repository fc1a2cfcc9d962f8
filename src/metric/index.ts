export type { Accumulator, Average, Interval, MetricValue, Task } from './accumulator.ts'
export { combine, prepared } from './combine.ts'
export { denseConfusion, type Confusion } from './confusion.ts'
export { curvePoints, type ScoreBin } from './score-curves.ts'
export { type LogitsBatch, type Targets } from './logits-batch.ts'
export { mcNemar, type McNemarTest } from './mcnemar.ts'
export {
  LEAST_REPLICATES,
  PAIRED_SAMPLES,
  type DifferenceInterval,
  type JointCell,
  type PairedSamples,
} from './paired.ts'
export { activationOf, chosenClasses, probabilities, type Activation } from './probabilities.ts'
export { sliceAccumulator, SLICE_METRICS, type SliceReport, type SliceStates } from './slices.ts'
export {
  DEFAULT_METRIC_OPTIONS,
  type MetricOptions,
  type RunningView,
  type TaskAccumulator,
  type TaskOptions,
  type TaskReport,
} from './task.ts'
export { taskAccumulator, type TaskState } from './task-accumulator.ts'
export type { RunReport } from './thread/protocol.ts'
export { pairInThread, reportInThread } from './thread/in-thread.ts'
export { judge, OUTCOME, verdictBytes, verdictsOf, type Verdicts } from './verdict.ts'
