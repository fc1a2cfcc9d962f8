import type { Command } from 'commander'
import type { DatasetFlags, MetricFlags } from './evaluation-request.ts'
import { classNames, numberList, oneOrTwo, positiveInteger, repeated, someNumber } from './option-values.ts'

/** Adds the options that say what is in a dataset. */
export const datasetFlags = (command: Command): Command =>
  command
    .option('--label-column <name>', 'column or array of the labels; several for multilabel: a,b,c')
    .option('--feature-columns <names>', 'columns or arrays of the features: a,b,c', classNames)
    .option('--slice-columns <names>', 'columns that divide the samples, and are no features', classNames)
    .option('--weight-column <name>', 'column that says how much each sample counts')
    .option('--id-column <name>', 'column that says what each sample is called')
    .option('--delimiter <text>', 'what separates the fields of a CSV (default: a comma)')
    .option('--resize <size>', "torchvision's Resize of images: the shorter edge, or height,width", oneOrTwo)
    .option('--center-crop <size>', "torchvision's CenterCrop of images: an edge, or height,width", oneOrTwo)
    .option('--grayscale', 'images of one channel')
    .option(
      '--mean <numbers>',
      'taken off the features (of images: of each channel), after the division by 255',
      numberList,
    )
    .option('--std <numbers>', 'what the features are divided by then', numberList)

/** Adds the options that say what metrics are computed. */
export const metricFlags = (command: Command): Command =>
  command
    .option(
      '--slice <key>',
      'metrics for each value of a column, or for ranges: hospital, age:10; may be repeated',
      repeated,
    )
    .option('--keep-samples', 'keep what the model says about each sample, however many there are')
    .option('--no-keep-samples', 'do not keep it (default: keep it where it is not too much)')
    .option('--top-k <numbers>', 'the k of top-k accuracies (default: 2,3,5)', numberList)
    .option('--beta <n>', 'how many times as much recall counts as precision in fBeta (default: 2)', someNumber)
    .option('--cost-ratio <n>', 'what a missed positive costs, where a false alarm costs 1 (default: 1)', someNumber)
    .option('--ignore-index <n>', 'a label that is not counted', someNumber)
    .option('--class-weights <numbers>', 'how much a sample of each class counts', numberList)
    .option('--thresholds <numbers>', 'multilabel: a threshold for each label', numberList)
    .option('--batch-size <n>', 'samples of one batch (default: what suits the architecture)', positiveInteger)

/** Fields of `CreateDatasetInput`. Those that were not given are not there. */
export function datasetInput(flags: DatasetFlags): Record<string, unknown> {
  const { labelColumn, featureColumns, sliceColumns, weightColumn, idColumn, delimiter } = flags
  const { resize, centerCrop, grayscale, mean, std } = flags
  const images = given({ resize, centerCrop, grayscale })
  const preprocess = given({ mean, std })
  return given({
    ...{ labelColumn, featureColumns, sliceColumns, weightColumn, idColumn, delimiter },
    images: Object.keys(images).length === 0 ? undefined : images,
    preprocess:
      Object.keys(preprocess).length === 0
        ? undefined
        : // Of images where there are sizes of images, else of the features of a table.
          [{ column: Object.keys(images).length === 0 ? 'x' : 'image', ...preprocess }],
  })
}

/** Fields of `StartRunInput`. */
export function metricInput(flags: MetricFlags): Record<string, unknown> {
  const { topK, beta, costRatio, ignoreIndex, classWeights, thresholds } = flags
  const metrics = given({ topK, beta, costRatio, ignoreIndex, classWeights, thresholds })
  return given({
    slices: flags.slice,
    keepSamples: flags.keepSamples,
    metrics: Object.keys(metrics).length === 0 ? undefined : metrics,
  })
}

const given = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
