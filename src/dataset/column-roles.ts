import { quoted } from '../container/index.ts'
import { AppError } from '../error.ts'
import type { DatasetOptions } from './dataset-options.ts'
import { showName } from './show-name.ts'

/** Names that labels and features usually have, in lower case. */
const LABEL_NAMES = new Set(['y', 'label', 'labels', 'target', 'targets', 'class', 'classes'])
const FEATURE_NAMES = new Set(['x', 'feature', 'features', 'data', 'input', 'inputs', 'image', 'images'])

const WEIGHT_NAMES = new Set(['weight', 'weights', 'sample_weight', 'sample_weights'])
const ID_NAMES = new Set(['id', 'ids', 'sample_id', 'uid', 'uuid'])

/** Columns that become slices although nobody asked for them. */
export const MAX_INFERRED = 100

/** A file whose columns have names. */
export interface Named {
  /** The file, for messages. */
  readonly source: string
  /** What the columns are called in this format: `array` or `column`. */
  readonly thing: string
  readonly names: readonly string[]
  /** All of them for a message. */
  readonly list: string
}

/**
 * The label column: the one that the options name, or the only one with a usual name; null when there is none and none is needed.
 * @throws AppError BAD_INPUT, which lists the columns.
 */
export function labelName(file: Named, { labelColumn, labelsOptional }: DatasetOptions): string | null {
  if (labelColumn !== undefined) return existing(file, labelColumn, 'labelColumn')
  const usual = file.names.filter((name) => LABEL_NAMES.has(name.toLowerCase()))
  if (usual.length === 1) return usual[0]!
  if (usual.length === 0 && labelsOptional === true) return null
  const found =
    usual.length === 0
      ? `no ${file.thing} has a usual label name (y, label, target, class)`
      : `${usual.map(showName).join(' and ')} could both be the labels`
  throw new AppError('BAD_INPUT', `${file.source}: ${found}; name one with labelColumn. It has ${file.list}`)
}

/**
 * The feature arrays: those that the options name, or the only one with a usual name, or the only one that is left.
 * @throws AppError BAD_INPUT, which lists the arrays.
 */
export function featureNames(file: Named, label: string | null, { featureColumns }: DatasetOptions): readonly string[] {
  if (featureColumns !== undefined) return chosenFeatures(file, label === null ? [] : [label], featureColumns)
  const others = file.names.filter((name) => name !== label)
  const usual = others.filter((name) => FEATURE_NAMES.has(name.toLowerCase()))
  if (usual.length === 1) return usual
  if (others.length === 1) return others
  const found =
    others.length === 0 ? 'there are no features besides the labels' : 'it is not clear which arrays are the features'
  throw new AppError('BAD_INPUT', `${file.source}: ${found}; name them with featureColumns. It has ${file.list}`)
}

/**
 * The columns of weights, ids and slices: those that the options name, or for weights and ids the only one with a usual name that is not
 * chosen for something else.
 * @throws AppError BAD_INPUT, which lists the columns.
 */
export function chosenOther(
  file: Named,
  labels: readonly string[],
  options: DatasetOptions,
): { readonly weight: string | null; readonly id: string | null; readonly slices: readonly string[] } {
  const { featureColumns = [], sliceColumns = [] } = options
  const slices = [...new Set(sliceColumns)].map((name) => existing(file, name, 'sliceColumns'))
  const find = (named: string | undefined, option: string, usual: ReadonlySet<string>): string | null => {
    if (named !== undefined) return existing(file, named, option)
    const found = file.names.filter((name) => usual.has(name.toLowerCase()))
    const free = found.filter((name) => ![...labels, ...featureColumns, ...slices].includes(name))
    return free.length === 1 ? free[0]! : null
  }
  const weight = find(options.weightColumn, 'weightColumn', WEIGHT_NAMES)
  const id = find(options.idColumn, 'idColumn', ID_NAMES)
  const twice = [weight, id].find((name) => name !== null && (labels.includes(name) || featureColumns.includes(name)))
  if (twice != null || (weight !== null && weight === id))
    throw new AppError(
      'BAD_INPUT',
      `${file.source}: the ${file.thing} ${quoted(twice ?? weight!)} is named for two things`,
    )
  return { weight, id, slices: slices.filter((name) => name !== id && name !== weight) }
}

/** Features that the options name. */
export function chosenFeatures(
  file: Named,
  labels: readonly string[],
  featureColumns: readonly string[],
): readonly string[] {
  if (featureColumns.length === 0)
    throw new AppError('BAD_INPUT', 'featureColumns names no column; leave it out, or name one')
  const names = featureColumns.map((name) => existing(file, name, 'featureColumns'))
  const twice = names.find((name, i) => labels.includes(name) || names.indexOf(name) !== i)
  if (twice !== undefined)
    throw new AppError(
      'BAD_INPUT',
      `${file.source}: the ${file.thing} ${quoted(twice)} is named twice in featureColumns and labelColumn`,
    )
  return names
}

/** A name that the file has. */
export function existing(file: Named, name: string, option: string): string {
  if (file.names.includes(name)) return name
  throw new AppError(
    'BAD_INPUT',
    `${file.source} has no ${file.thing} ${quoted(name)} (${option}). It has ${file.list}`,
  )
}
