import { quoted, type ByteSource } from '../container/index.ts'
import { AppError } from '../error.ts'
import { chosenFeatures, existing, labelName, type Named } from './column-roles.ts'
import { csvNumber } from './csv-number.ts'
import type { DatasetLimits } from './dataset-limits.ts'
import type { DatasetOptions } from './dataset-options.ts'
import { listed, showName } from './show-name.ts'

/** Which fields of a record are what. */
export interface CsvColumns {
  readonly names: readonly string[]
  /** Indexes of fields, in the order of the header or of `featureColumns`. */
  readonly features: readonly number[]
  /** More than one for MULTILABEL; none when there are none and none are needed. */
  readonly labels: readonly number[]
}

/**
 * Reads the header line.
 * @throws AppError DATASET_CORRUPT, LIMIT_EXCEEDED; BAD_INPUT, which lists the columns.
 */
export function csvColumns(
  source: ByteSource,
  header: readonly string[],
  options: DatasetOptions,
  limits: DatasetLimits,
): CsvColumns {
  const names = header.map((name) => name.trim())
  checkNames(source, names, options, limits)
  const file: Named = {
    source: source.name,
    thing: 'column',
    names,
    list: `the columns ${listed(names.map((name) => (name === '' ? '(no name)' : showName(name))))}`,
  }
  const labels = labelNames(file, options)
  const features =
    options.featureColumns === undefined
      ? names.filter((name) => !labels.includes(name))
      : chosenFeatures(file, labels, options.featureColumns)
  if (features.length === 0)
    throw new AppError('BAD_INPUT', `${source.name} has no columns besides ${listed(labels.map(showName))}`)
  if (features.includes(''))
    throw new AppError(
      'DATASET_CORRUPT',
      `${source.name}: column ${names.indexOf('') + 1} has no name (pandas writes its row index so: save with index=False), or choose featureColumns`,
    )
  const index = (name: string): number => names.indexOf(name)
  return { names, features: features.map(index), labels: labels.map(index) }
}

/** One column, or, where no column has the whole text as its name, those between the commas. */
function labelNames(file: Named, options: DatasetOptions): readonly string[] {
  const { labelColumn } = options
  if (labelColumn === undefined || file.names.includes(labelColumn) || !labelColumn.includes(',')) {
    const label = labelName(file, options)
    return label === null ? [] : [label]
  }
  const labels = labelColumn.split(',').map((name) => existing(file, name.trim(), 'labelColumn'))
  const twice = labels.find((name, i) => labels.indexOf(name) !== i)
  if (twice !== undefined) throw new AppError('BAD_INPUT', `${file.source}: labelColumn names ${quoted(twice)} twice`)
  return labels
}

function checkNames(
  source: ByteSource,
  names: readonly string[],
  options: DatasetOptions,
  limits: DatasetLimits,
): void {
  if (names.length > limits.maxColumns)
    throw new AppError(
      'LIMIT_EXCEEDED',
      `${source.name} has ${names.length} columns, the limit is ${limits.maxColumns}`,
    )
  const other = names.length === 1 && options.delimiter === undefined ? /[;\t|]/.exec(names[0]!)?.[0] : undefined
  if (other !== undefined)
    throw new AppError(
      'BAD_INPUT',
      `${source.name}: line 1 has no comma; its fields seem to be separated by ${quoted(other)}: give that as delimiter`,
    )
  if (names.some((name) => name.includes('\ufffd')))
    throw new AppError('DATASET_CORRUPT', `${source.name}: line 1 is not UTF-8 text; save the file as UTF-8`)
  // A header of 0, 1, 2, … is what pandas makes of an array.
  if (names.every((name, i) => (csvNumber(name) ?? null) !== null && name !== String(i)))
    throw new AppError(
      'DATASET_CORRUPT',
      `${source.name}: line 1 holds numbers (${listed(names.slice(0, 3))}, …), but it has to name the columns: add a header line`,
    )
  const seen = new Set<string>()
  for (const name of names) {
    if (seen.has(name) && name !== '')
      throw new AppError('DATASET_CORRUPT', `${source.name}: line 1 has two columns called ${quoted(name)}`)
    seen.add(name)
  }
}
