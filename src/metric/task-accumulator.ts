import { AppError } from '../error.ts'
import type { Task } from './accumulator.ts'
import { ofClasses, type ClassState } from './of-classes.ts'
import { ofLabels, type LabelState } from './of-labels.ts'
import { ofOutputs } from './of-outputs.ts'
import type { RegressionSums } from './regression.ts'
import { thresholds } from './score-batch.ts'
import {
  DEFAULT_METRIC_OPTIONS as DEFAULTS,
  type FullTaskOptions,
  type TaskAccumulator,
  type TaskOptions,
} from './task.ts'

/** State of a task: plain JSON. */
export type TaskState = ClassState | LabelState | RegressionSums

/**
 * The accumulator of a task. It keeps scratch arrays: use one for each stream of batches.
 * `update` throws AppError DATASET_LABEL_UNKNOWN for a target that is no class, DATASET_SHAPE_MISMATCH for logits of
 * another width.
 * @throws AppError BAD_INPUT for options that the task cannot have.
 */
export function taskAccumulator(task: Task, given: TaskOptions): TaskAccumulator<TaskState> {
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

/**
 * Options with their defaults.
 * @throws AppError BAD_INPUT for those that the task cannot have.
 */
export function withDefaults(task: Task, options: TaskOptions): FullTaskOptions {
  const { classes, classWeights } = options
  const { topK = DEFAULTS.topK, beta = DEFAULTS.beta } = options
  const { costRatio = DEFAULTS.costRatio, calibrationBins = DEFAULTS.calibrationBins } = options
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
