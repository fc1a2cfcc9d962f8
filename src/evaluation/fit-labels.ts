import type { GraphValue } from '../architecture/index.ts'
import { AppError } from '../error.ts'
import { numel, sameShape } from '../tensor/index.ts'
import type { ColumnFacts, DatasetFacts, LabelFit, Question } from './dataset-fit.ts'
import { show, withoutOnes } from './sample-shape.ts'

/** Labels that a message lists at most. */
const LISTED = 10

/** Finds the label column and checks it against the task and the logits. See `fitDataset`. */
export function fitLabels(
  question: Question,
  output: GraphValue,
  dataset: DatasetFacts,
): { readonly labels: LabelFit; readonly classes: readonly string[] } {
  const column = labelColumn(dataset)
  const classes = fitClasses(question, output)
  const perSample = checkLabelShape(question, column, output)
  const classOf = column.names == null ? null : classCodes(question, column, column.names)
  if (classOf === null && dataset.rows > 0) checkRange(question, column, classes.length)
  return { labels: { column: column.name, perSample, classOf }, classes }
}

/**
 * Class names of the logits: the model's, or `0`, `1`, … where it names none.
 * @throws AppError DATASET_SHAPE_MISMATCH when the output is none that the task can use.
 */
export const fitClasses = (question: Question, output: GraphValue): readonly string[] =>
  classNames(question, output, logitsWidth(question, output))

function labelColumn({ columns }: DatasetFacts): ColumnFacts {
  const labels = columns.filter(({ role }) => role === 'LABEL')
  const [column] = labels
  if (column !== undefined && labels.length === 1) return column
  throw new AppError(
    'BAD_INPUT',
    labels.length === 0
      ? 'the dataset has no label column; import it again and name the column that holds the labels'
      : `the dataset has the label columns ${labels.map(({ name }) => name).join(', ')}; one is expected`,
  )
}

/** Logits of one sample. */
function logitsWidth({ task }: Question, { name, shape }: GraphValue): number {
  const sample = shape.slice(1)
  const refuse = (expected: string): never => {
    throw new AppError(
      'DATASET_SHAPE_MISMATCH',
      `output ${name} of the model is [${shape.join(', ')}]; ${task} needs ${expected} for each sample`,
    )
  }
  const unknown = sample.find((size) => typeof size === 'string')
  if (unknown !== undefined) return refuse(`a number of logits that does not depend on ${unknown}`)
  const width = numel(sample as number[])
  switch (task) {
    case 'BINARY':
      return sample.length <= 1 && (width === 1 || width === 2) ? width : refuse('one logit, or two for softmax')
    case 'MULTICLASS':
      return sample.length === 1 && width >= 2 ? width : refuse('one logit for each class, at least two')
    case 'MULTILABEL':
      return sample.length === 1 && width >= 1 ? width : refuse('one logit for each label')
    case 'REGRESSION':
      return width >= 1 ? width : refuse('at least one value')
  }
}

function classNames({ task, classes }: Question, { name }: GraphValue, width: number): readonly string[] {
  const count = task === 'BINARY' ? 2 : width
  if (classes.length === 0) return task === 'REGRESSION' ? [] : Array.from({ length: count }, (_, i) => String(i))
  if (classes.length === count) return classes
  throw new AppError(
    'DATASET_SHAPE_MISMATCH',
    `the model has ${classes.length} class names, but output ${name} gives ${width} values for each sample; ` +
      `${task} needs ${count} names`,
  )
}

/** Numbers of one sample. Sizes of 1 are no difference: a logit of [1] answers a label of []. */
function checkLabelShape({ task }: Question, { name, shape }: ColumnFacts, output: GraphValue): number {
  const logits = output.shape.slice(1) as number[]
  const found = `label column ${name} has ${show(shape)} numbers for each sample`
  switch (task) {
    case 'BINARY':
    case 'MULTICLASS':
      if (withoutOnes(shape).length === 0) return 1
      throw new AppError(
        'DATASET_SHAPE_MISMATCH',
        `${found}; ${task} needs one class index` +
          (sameShape(shape, logits) ? ': if these are one-hot, save labels.argmax(1)' : ''),
      )
    case 'MULTILABEL':
    case 'REGRESSION':
      if (sameShape(withoutOnes(shape), withoutOnes(logits))) return numel(shape)
      throw new AppError(
        'DATASET_SHAPE_MISMATCH',
        `${found}, the model answers with ${show(logits)}; ${task} needs the same`,
      )
  }
}

/** Label strings are class names. */
function classCodes({ task, classes }: Question, { name }: ColumnFacts, labelNames: readonly string[]): number[] {
  if (task === 'REGRESSION' || task === 'MULTILABEL')
    throw new AppError('DATASET_LABEL_UNKNOWN', `label column ${name} holds text; ${task} needs numbers`)
  if (classes.length === 0)
    throw new AppError(
      'DATASET_LABEL_UNKNOWN',
      `label column ${name} holds the names ${some(labelNames)}, but the model names no classes; ` +
        'name them in the order of its logits (classes, --classes)',
    )
  const unknown = labelNames.filter((label) => !classes.includes(label))
  if (unknown.length > 0)
    throw new AppError(
      'DATASET_LABEL_UNKNOWN',
      `label column ${name} holds ${some(unknown)}, which ${unknown.length === 1 ? 'is no class' : 'are no classes'} of the model; ` +
        `its classes are ${some(classes)}`,
    )
  return labelNames.map((label) => classes.indexOf(label))
}

function checkRange({ task, ignoreIndex }: Question, { name, statistics }: ColumnFacts, classes: number): void {
  if (task === 'REGRESSION') return
  const { min, max, integral } = statistics
  const last = task === 'MULTICLASS' ? classes - 1 : 1
  // What lies between a label that is ignored and the others shows when the samples are counted.
  if (integral && (min >= 0 || min === ignoreIndex) && (max <= last || max === ignoreIndex)) return
  const expected = last === 1 ? '0 or 1' : `whole numbers from 0 to ${last}`
  throw new AppError(
    'DATASET_LABEL_UNKNOWN',
    `label column ${name} has values from ${min} to ${max}${integral ? '' : ', not all of them whole'}; ` +
      `${task} with this model needs ${expected}`,
  )
}

const some = (names: readonly string[]): string =>
  names
    .slice(0, LISTED)
    .map((name) => JSON.stringify(name))
    .join(', ') + (names.length > LISTED ? ` and ${names.length - LISTED} more` : '')
