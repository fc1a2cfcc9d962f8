import { encodePng, imageLayout } from '../dataset/index.ts'
import { AppError } from '../error.ts'
import type { DatasetColumnRow } from '../store/index.ts'
import { numel } from '../tensor/index.ts'
import { readColumnNumbers, readIds } from './dataset-rows.ts'
import { loadDataset } from './load-dataset.ts'
import type { Platform } from './platform.ts'

/** A sample of a dataset, as it is stored. */
export interface StoredSample {
  readonly datasetId: string
  readonly row: number
  /** What the dataset calls it. */
  readonly id: string | null
  /** Its true class; null where labels are no classes, or several. */
  readonly labels: readonly string[] | null
  /** By name of the feature column; null for one with too many values. */
  readonly features: Readonly<Record<string, readonly (number | null)[] | null>>
  /** Whether `sampleImage` can show it. */
  readonly isImage: boolean
}

/** Values of a sample that are shown. */
const SHOWN_VALUES = 100

/**
 * Some samples of a dataset, in the order of `rows`; rows that it has not are left out.
 * @throws AppError NOT_FOUND.
 */
export async function storedSamples(
  platform: Platform,
  datasetId: string,
  rows: readonly number[],
): Promise<readonly StoredSample[]> {
  const dataset = await loadDataset(platform, datasetId)
  const there = rows.filter((row) => row >= 0 && row < Number(dataset.rows))
  const features = dataset.columns.filter(({ role }) => role === 'FEATURE')
  const label = onlyClass(dataset.columns)
  const isImage = imageColumn(features) !== null
  const ids = await readIds(platform, dataset, there)
  return await Promise.all(
    there.map(async (row, i) => ({
      datasetId,
      row,
      id: ids?.[i] ?? null,
      labels: label === null ? null : [nameOf(label, (await readColumnNumbers(platform, label, row, 1))[0]!)],
      features: Object.fromEntries(
        await Promise.all(
          features.map(async (column) => [column.name, await shownValues(platform, column, row)] as const),
        ),
      ),
      isImage,
    })),
  )
}

/**
 * A sample as a PNG. Floats are scaled so that 0 is black and 1 is white, or where values are beyond that, the smallest and the largest
 * of the whole column.
 * @throws AppError NOT_FOUND, BAD_INPUT where samples are no images.
 */
export async function sampleImage(platform: Platform, datasetId: string, row: number): Promise<Uint8Array> {
  const dataset = await loadDataset(platform, datasetId)
  const found = imageColumn(dataset.columns.filter(({ role }) => role === 'FEATURE'))
  if (found === null)
    throw new AppError('BAD_INPUT', `samples of ${dataset.name} are no images: no feature has the shape of one`)
  if (row >= Number(dataset.rows))
    throw new AppError('NOT_FOUND', `${dataset.name} has the samples 0 to ${Number(dataset.rows) - 1}; this is ${row}`)
  const { column, layout } = found
  const [low, high] = rangeOf(column)
  return await encodePng(await readColumnNumbers(platform, column, row, 1), layout, low, high)
}

function imageColumn(features: readonly DatasetColumnRow[]) {
  for (const column of features) {
    const layout = imageLayout(column.shape)
    if (layout !== null) return { column, layout }
  }
  return null
}

function rangeOf({ dtype, min, max }: DatasetColumnRow): readonly [low: number, high: number] {
  if (dtype === 'uint8') return [0, 255]
  if (min === null || max === null || (min >= 0 && max <= 1)) return [0, 1]
  return [min, max]
}

/** The column of labels, where there is one whose values are classes. */
function onlyClass(columns: readonly DatasetColumnRow[]): DatasetColumnRow | null {
  const [label, ...others] = columns.filter(({ role }) => role === 'LABEL')
  return label !== undefined && others.length === 0 && label.shape.length === 0 && label.integral ? label : null
}

const nameOf = ({ names }: DatasetColumnRow, code: number): string => names[code] ?? String(code)

async function shownValues(
  platform: Platform,
  column: DatasetColumnRow,
  row: number,
): Promise<readonly (number | null)[] | null> {
  if (numel(column.shape) > SHOWN_VALUES) return null
  const values = await readColumnNumbers(platform, column, row, 1)
  return Array.from(values, (value) => (Number.isFinite(value) ? value : null))
}
