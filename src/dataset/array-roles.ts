import type { ByteSource } from '../container/index.ts'
import { AppError } from '../error.ts'
import type { RoledArray } from './array-dataset.ts'
import { featureNames, labelName, type Named } from './column-roles.ts'
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
  const named = (name: string): StoredArray => {
    const { array } = candidates.find((candidate) => candidate.name === name)!
    if (array instanceof AppError) throw array
    return array
  }
  return [
    ...featureNames(file, label, options).map((name) => ({ array: named(name), role: 'FEATURE' as const })),
    ...(label === null ? [] : [{ array: named(label), role: 'LABEL' as const }]),
  ]
}

const describe = ({ name, array }: Candidate): string =>
  array instanceof AppError ? `${showName(name)} (not readable)` : describeArray(array)
