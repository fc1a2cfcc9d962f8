import type { Graph, GraphValue } from '../architecture/index.ts'
import { AppError } from '../error.ts'
import { numel, sameShape } from '../tensor/index.ts'
import { isCastable } from './cast.ts'
import type { ColumnFacts, DatasetFacts, DatasetFit, InputFit, Question, SamplesFit } from './dataset-fit.ts'
import { fitClasses, fitLabels } from './fit-labels.ts'
import { matches, show } from './sample-shape.ts'

/**
 * Finds the columns that feed the inputs of a graph and the column of the labels, and checks that shapes, values and labels fit:
 * before a run is queued.
 * @throws AppError DATASET_SHAPE_MISMATCH, DATASET_LABEL_UNKNOWN, BAD_INPUT, ARCHITECTURE_INVALID.
 */
export function fitDataset(question: Question, dataset: DatasetFacts): DatasetFit {
  const { inputs, output, notes } = fitFeatures(question, dataset)
  return { inputs, output: output.name, ...fitLabels(question, output, dataset), weights: fitWeights(dataset), notes }
}

/**
 * As `fitDataset`, of samples that may have no labels.
 * @throws AppError as `fitDataset`.
 */
export function fitSamples(question: Question, dataset: DatasetFacts): SamplesFit {
  if (dataset.columns.some(({ role }) => role === 'LABEL')) return fitDataset(question, dataset)
  const { inputs, output, notes } = fitFeatures(question, dataset)
  return { inputs, output: output.name, labels: null, classes: fitClasses(question, output), notes }
}

/** The column of the samples' weights, if there is one. */
function fitWeights({ columns }: DatasetFacts): string | null {
  const weights = columns.filter(({ role }) => role === 'WEIGHT')
  const [column] = weights
  if (column === undefined) return null
  if (weights.length > 1)
    throw new AppError('BAD_INPUT', `the dataset has the weight columns ${list(weights)}; one is expected`)
  const { name, shape, dtype, statistics } = column
  if (numel(shape) !== 1 || !isCastable(dtype))
    throw new AppError(
      'DATASET_SHAPE_MISMATCH',
      `weight column ${name} has ${show(shape)} numbers for each sample; one is expected`,
    )
  if (statistics.min < 0)
    throw new AppError(
      'BAD_INPUT',
      `weight column ${name} has values from ${statistics.min}; weights are numbers from 0 on`,
    )
  return name
}

function fitFeatures({ graph }: Question, { columns }: DatasetFacts) {
  const notes: string[] = []
  const features = columns.filter(({ role }) => role === 'FEATURE')
  const inputs = matchColumns(graph.inputs, features, notes).map(([input, column]) => fitInput(input, column, notes))
  const output = logitsOutput(graph, notes)
  checkBatch('output', output)
  return { inputs, output, notes }
}

/** Inputs and columns go by name; one input and one column belong together whatever they are called. */
function matchColumns(
  inputs: readonly GraphValue[],
  columns: readonly ColumnFacts[],
  notes: string[],
): (readonly [GraphValue, ColumnFacts])[] {
  if (inputs.length === 1 && columns.length === 1) return [[inputs[0]!, columns[0]!]]
  const matched = inputs.map((input) => [input, columns.find(({ name }) => name === input.name)] as const)
  const missing = matched.filter(([, column]) => column === undefined).map(([input]) => input.name)
  if (missing.length > 0)
    throw new AppError(
      'DATASET_SHAPE_MISMATCH',
      `the model has the inputs ${list(inputs)}, the dataset has the feature columns ${list(columns)}; ` +
        `no column is called ${missing.join(', ')}; name the arrays of the dataset as the inputs are named`,
    )
  const unused = columns.filter(({ name }) => !inputs.some((input) => input.name === name))
  if (unused.length > 0) notes.push(`feature columns that no input is named after are not used: ${list(unused)}`)
  return matched as (readonly [GraphValue, ColumnFacts])[]
}

const list = (named: readonly { readonly name: string }[]): string =>
  named.length === 0 ? '(none)' : named.map(({ name }) => name).join(', ')

function fitInput(input: GraphValue, column: ColumnFacts, notes: string[]): InputFit {
  checkBatch('input', input)
  const expected = input.shape.slice(1)
  const shape = [column.shape, [1, ...column.shape]].find((candidate) => matches(expected, candidate))
  if (shape === undefined)
    throw new AppError(
      'DATASET_SHAPE_MISMATCH',
      `column ${column.name} has samples of shape ${show(column.shape)}, input ${input.name} of the model expects ${show(expected)}; ` +
        'reshape the array of the dataset, or choose the architecture that it was made for',
    )
  if (!sameShape(shape, column.shape))
    notes.push(`samples of column ${column.name}, ${show(column.shape)}, are given to the model as ${show(shape)}`)
  if (!isCastable(column.dtype))
    throw new AppError(
      'DATASET_SHAPE_MISMATCH',
      `column ${column.name} is of dtype ${column.dtype}, which has no real numbers; save it as float32`,
    )
  const { preprocess } = column
  const floating = input.dtype.startsWith('float') || input.dtype.startsWith('bfloat')
  if (preprocess != null && !floating)
    throw new AppError(
      'DATASET_SHAPE_MISMATCH',
      `column ${column.name} is preprocessed to float32, input ${input.name} of the model takes ${input.dtype}`,
    )
  if (preprocess != null) notes.push(`column ${column.name} is preprocessed: ${JSON.stringify(preprocess)}`)
  else if (column.dtype !== input.dtype) {
    if (!floating && !column.statistics.integral)
      throw new AppError(
        'DATASET_SHAPE_MISMATCH',
        `column ${column.name} has fractions, input ${input.name} of the model takes ${input.dtype}; give it whole numbers`,
      )
    notes.push(`column ${column.name} is converted from ${column.dtype} to ${input.dtype}; its values are not scaled`)
  }
  return { input: input.name, column: column.name, shape, ...(preprocess == null ? {} : { preprocess }) }
}

/** The output called `logits`, or the only one, or the first. */
function logitsOutput({ outputs }: Graph, notes: string[]): GraphValue {
  const named = outputs.find(({ name }) => name === 'logits')
  const [first] = outputs
  if (first === undefined) throw new AppError('ARCHITECTURE_INVALID', 'the graph has no output')
  if (named === undefined && outputs.length > 1)
    notes.push(`the model has the outputs ${list(outputs)}; the first is taken as the logits`)
  return named ?? first
}

/** Batches of any size have to go in and out. */
function checkBatch(what: 'input' | 'output', { name, shape }: GraphValue): void {
  const [batch] = shape
  if (typeof batch === 'string') return
  const found = batch === undefined ? 'is a scalar' : `has the fixed batch size ${batch}`
  throw new AppError(
    'ARCHITECTURE_INVALID',
    `${what} ${name} of the model ${found}; its first dimension has to be the batch: export the model with ` +
      `dynamic_axes={'${name}': {0: 'N'}}`,
  )
}
