import { quoted, type ByteSource } from '../container/index.ts'
import { AppError } from '../error.ts'
import { chosenFeatures, chosenOther, existing, labelName, MAX_INFERRED, type Named } from './column-roles.ts'
import type { DatasetOptions } from './dataset-options.ts'
import { listed, showName } from './show-name.ts'
import { isList, type Table } from './table.ts'

/** Indexes of columns by what they are for. */
export interface TableRoles {
  /** Of one number each, in order: side by side they are one feature. */
  readonly features: readonly number[]
  /** Features whose cells are arrays. */
  readonly lists: readonly number[]
  /** More than one for MULTILABEL; none when there are none and none are needed. */
  readonly labels: readonly number[]
  readonly weight: number | null
  readonly id: number | null
  readonly slices: readonly number[]
  /** Slices that nobody asked for: those that cannot be slices are left out. */
  readonly inferred: ReadonlySet<number>
}

/**
 * Decides what each column is for, by the options, by usual names, and by the cells of the first row.
 * @throws AppError BAD_INPUT, which lists the columns; DATASET_CORRUPT.
 */
export function tableRoles(
  source: ByteSource,
  table: Table,
  firstRow: readonly unknown[],
  options: DatasetOptions,
  featuresGiven: boolean,
): TableRoles {
  const { names } = table
  const file: Named = {
    source: source.name,
    thing: 'column',
    names,
    list: `the columns ${listed(names.map((name) => (name === '' ? '(no name)' : showName(name))))}`,
  }
  const labels = labelNames(file, options)
  const { weight, id, slices } = chosenOther(file, labels, options)
  const taken = new Set([...labels, weight, id, ...slices])
  const rest = names.filter((name) => !taken.has(name))
  const index = (name: string): number => names.indexOf(name)
  const isText = (name: string): boolean => {
    const cell = firstRow[index(name)]
    return !isList(cell) && table.numberOf(cell) === null
  }
  const numbers = rest.filter((name) => !isText(name))
  // Where all are text, the first cell is the error to tell of.
  const others = numbers.length === 0 ? rest : numbers
  const chosen = featuresGiven
    ? []
    : options.featureColumns === undefined
      ? others
      : chosenFeatures(file, labels, options.featureColumns)
  if (chosen.length === 0 && !featuresGiven)
    throw new AppError('BAD_INPUT', `${source.name} has no columns besides ${listed(labels.map(showName))}`)
  if (chosen.includes(''))
    throw new AppError(
      'DATASET_CORRUPT',
      `${source.name}: column ${names.indexOf('') + 1} has no name (pandas writes its row index so: save with index=False), or choose featureColumns`,
    )
  const inferred = rest
    .filter((name) => !chosen.includes(name) && name !== '' && !isList(firstRow[index(name)]))
    .slice(0, MAX_INFERRED)
  const [lists, features] = [true, false].map((list) =>
    chosen.map(index).filter((at) => isList(firstRow[at]) === list),
  ) as [number[], number[]]
  return {
    features,
    lists,
    labels: labels.map(index),
    weight: weight === null ? null : index(weight),
    id: id === null ? null : index(id),
    slices: [...slices, ...inferred].map(index),
    inferred: new Set(inferred.map(index)),
  }
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
