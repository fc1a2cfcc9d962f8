import type { ByteSource } from '../container/index.ts'
import { AppError } from '../error.ts'
import type { RoledArray } from './array-dataset.ts'
import { chosenOther, featureNames, labelName, MAX_INFERRED, type Named } from './column-roles.ts'
import type { ColumnRole } from './columns.ts'
import type { DatasetOptions } from './dataset-options.ts'
import { listed, showName } from './show-name.ts'
import { describeArray, type StoredArray } from './stored-array.ts'

/** An array of a file, or why it cannot be read: that only matters when it is needed. */
export interface Candidate {
  readonly name: string
  readonly array: StoredArray | AppError
}

/**
 * Which arrays are features and which are labels, features first.
 * @throws AppError BAD_INPUT, which lists the arrays; DATASET_UNSUPPORTED for a chosen one that cannot be read.
 */
export function rolesOf(source: ByteSource, candidates: readonly Candidate[], options: DatasetOptions): RoledArray[] {
  const file: Named = {
    source: source.name,
    thing: 'array',
    names: candidates.map(({ name }) => name),
    list: `the arrays ${listed(candidates.map(describe))}`,
  }
  const label = labelName(file, options)
  const flat = candidates.filter(({ array }) => !(array instanceof AppError) && array.shape.length === 1)
  const other = chosenOther({ ...file, names: flat.map(({ name }) => name) }, label === null ? [] : [label], options)
  const named = (name: string): StoredArray => {
    const { array } = candidates.find((candidate) => candidate.name === name)!
    if (array instanceof AppError) throw array
    return array
  }
  const taken = [...other.slices, other.weight, other.id].filter((name) => name !== null)
  const features = featureNames({ ...file, names: file.names.filter((name) => !taken.includes(name)) }, label, options)
  const roled = (role: ColumnRole, names: readonly (string | null)[]): RoledArray[] =>
    names.flatMap((name) => (name === null ? [] : [{ array: named(name), role }]))
  const chosen = [...roled('FEATURE', features), ...roled('LABEL', [label]), ...roled('WEIGHT', [other.weight])]
  // What is nothing else and has one value for each sample divides the samples.
  const rows = chosen[0]!.array.shape[0]
  const inferred = flat.filter(
    ({ name, array }) =>
      !(array instanceof AppError) && array.shape[0] === rows && ![...features, label, ...taken].includes(name),
  )
  const slices = [...other.slices, ...inferred.map(({ name }) => name).slice(0, MAX_INFERRED)]
  return [...chosen, ...roled('SLICE', slices), ...roled('ID', [other.id])]
}

const describe = ({ name, array }: Candidate): string =>
  array instanceof AppError ? `${showName(name)} (not readable)` : describeArray(array)
