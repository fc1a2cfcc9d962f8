export type { Accumulator, Average, Interval, MetricValue, Task } from './accumulator.ts'
export { combine, prepared } from './combine.ts'
export { denseConfusion, type Confusion } from './confusion.ts'
export { curvePoints, type ScoreBin } from './score-curves.ts'
export { type LogitsBatch, type Targets } from './logits-batch.ts'
export { activationOf, chosenClasses, probabilities, type Activation } from './probabilities.ts'
export {
  taskAccumulator,
  type RunningView,
  type TaskAccumulator,
  type TaskOptions,
  type TaskReport,
  type TaskState,
} from './task-accumulator.ts'
