import { AppError } from '../error.ts'
import { bytesRows, rowBytes, type RowReader } from '../evaluation/index.ts'
import type { DatasetColumnRow } from '../store/index.ts'
import { datasetFacts } from './dataset-facts.ts'
import { readColumnRows } from './dataset-rows.ts'
import type { GivenSamples } from './given-samples.ts'
import { loadDataset } from './load-dataset.ts'
import type { Platform } from './platform.ts'
import type { PredictionLimits } from './prediction-limits.ts'
import { storedDType } from './stored-dtype.ts'

/**
 * Rows of a stored dataset. Only these rows are read from the store, whatever the size of the dataset.
 * @throws AppError NOT_FOUND, BAD_INPUT for an index that it does not have, LIMIT_EXCEEDED.
 */
export async function datasetSamples(
  platform: Platform,
  datasetId: string,
  indices: readonly number[],
  limits: PredictionLimits,
): Promise<GivenSamples> {
  checkCount(indices, limits)
  const dataset = await loadDataset(platform, datasetId)
  const rows = Number(dataset.rows)
  const wrong = indices.findIndex((index) => !(Number.isInteger(index) && index >= 0 && index < rows))
  if (wrong !== -1)
    throw new AppError(
      'BAD_INPUT',
      `indices[${wrong}] is ${indices[wrong]!}; dataset ${dataset.name} version ${dataset.version} has the samples 0 to ${rows - 1}`,
    )
  const read = async (row: DatasetColumnRow): Promise<readonly [string, RowReader]> => {
    const { name, dtype, shape } = row
    const column = { dtype: storedDType(dtype), shape }
    const size = rowBytes(column)
    if (size * indices.length > limits.inputBytes)
      throw new AppError(
        'LIMIT_EXCEEDED',
        `${indices.length} samples of column ${name} are ${size * indices.length} bytes; at most ${limits.inputBytes} are predicted at a time`,
      )
    const bytes = new Uint8Array(size * indices.length)
    for (const { first, end, samples } of ranges(indices, size)) {
      const { bytes: range } = await readColumnRows(platform, row, first, end - first)
      for (const sample of samples) {
        const at = (indices[sample]! - first) * size
        bytes.set(range.subarray(at, at + size), sample * size)
      }
    }
    return [name, bytesRows(column.dtype, shape, bytes)]
  }
  return {
    facts: datasetFacts(dataset, dataset.columns),
    n: indices.length,
    rows: indices,
    readers: async (names) =>
      new Map(await Promise.all(dataset.columns.filter(({ name }) => names.has(name)).map(read))),
  }
}

function checkCount({ length }: readonly number[], { samples }: PredictionLimits): void {
  if (length === 0) throw new AppError('BAD_INPUT', 'indices is empty; name the samples of the dataset, counted from 0')
  if (length > samples)
    throw new AppError(
      'LIMIT_EXCEEDED',
      `indices names ${length} samples; at most ${samples} are predicted at a time: send several requests, or start a run`,
    )
}

/** Rows that are read at once, and the samples that want them. */
interface RowRange {
  readonly first: number
  end: number
  readonly samples: number[]
}

/** Bytes between two rows that cost less to read than another question does, and bytes that are read at once. */
const GAP_BYTES = 64 * 2 ** 10
const RANGE_BYTES = 4 * 2 ** 20

/** Rows that lie near each other are read together. */
function ranges(indices: readonly number[], size: number): readonly RowRange[] {
  const found: RowRange[] = []
  const samples = indices.map((_, sample) => sample).sort((a, b) => indices[a]! - indices[b]!)
  for (const sample of samples) {
    const row = indices[sample]!
    const last = found.at(-1)
    if (last !== undefined && (row - last.end) * size <= GAP_BYTES && (row + 1 - last.first) * size <= RANGE_BYTES) {
      last.end = row + 1
      last.samples.push(sample)
    } else found.push({ first: row, end: row + 1, samples: [sample] })
  }
  return found
}
