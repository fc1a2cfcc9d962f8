import type { ColumnRole } from '../dataset/index.ts'
import type { DatasetFile } from '../dataset/index.ts'
import { bytesRows, numberDecoder, rowBytes } from '../evaluation/index.ts'
import { numel, type DType, type Shape } from '../tensor/index.ts'
import { readColumnRows } from './dataset-rows.ts'
import { datasetOptions, type ImportDatasetInput } from './import-dataset.ts'
import { openDatasetFile } from './open-dataset-file.ts'
import { openUpload } from './open-upload.ts'
import { loadDataset } from './load-dataset.ts'
import type { Platform } from './platform.ts'
import { storedDType } from './stored-dtype.ts'

/** What is seen of a dataset without reading all of it. */
export interface DatasetPreview {
  readonly format: string
  /** Rows that were looked at. */
  readonly rows: number
  readonly columns: readonly PreviewColumn[]
  /** Of one label a sample: how often each occurs, the most frequent first. */
  readonly classBalance: readonly { readonly label: string; readonly samples: number }[]
}

/** A column, by the rows that were looked at. */
export interface PreviewColumn {
  readonly name: string
  readonly role: ColumnRole
  readonly dtype: DType
  readonly shape: Shape
  readonly min: number | null
  readonly max: number | null
  readonly mean: number | null
  readonly std: number | null
  /** Values that are missing. */
  readonly missing: number
  /** Of the first rows; null where a sample has too many numbers to be read. */
  readonly values: readonly unknown[] | null
}

/** Rows that are looked at, images that are decoded, and bytes that are read of a column. */
const ROWS = 10_000
const IMAGES = 64
const BYTES = 16 * 2 ** 20
/** Rows that are shown, numbers of a sample that are shown, and classes. */
const SHOWN_ROWS = 10
const SHOWN_NUMBERS = 100
const SHOWN_CLASSES = 1000

/**
 * What importing an upload would make of it, by its first rows; nothing is stored.
 * @throws AppError as `importDataset`.
 */
export async function previewUpload(
  platform: Platform,
  input: Omit<ImportDatasetInput, 'name'>,
): Promise<DatasetPreview> {
  await using upload = await openUpload(platform, input.uploadId)
  const rows = /\.(zip|tar|tgz|tar\.gz)$/i.test(upload.row.fileName) ? IMAGES : ROWS
  await using file = await openDatasetFile(
    upload.source,
    { ...datasetOptions(platform, input), rows },
    platform.limits.checkpoint,
  )
  return await preview(file.format, Math.min(file.rows, ROWS), file.columns, (index, bytes) => head(file, index, bytes))
}

/**
 * The first rows of a stored dataset.
 * @throws AppError NOT_FOUND.
 */
export async function previewDataset(platform: Platform, datasetId: string): Promise<DatasetPreview> {
  const dataset = await loadDataset(platform, datasetId)
  const columns = dataset.columns.map(({ dtype, names, ...column }) => ({
    ...column,
    dtype: storedDType(dtype),
    names: names.length === 0 ? null : names,
  }))
  const rows = Math.min(Number(dataset.rows), ROWS)
  return await preview(dataset.format, rows, columns, async (index, bytes) => {
    const column = dataset.columns[index]!
    return (await readColumnRows(platform, column, 0, bytes / rowBytes(columns[index]!))).bytes
  })
}

/** The first bytes of a column of a file. */
async function head(file: DatasetFile, index: number, bytes: number): Promise<Uint8Array> {
  const found = new Uint8Array(bytes)
  let at = 0
  for await (const piece of file.read(index)) {
    const part = piece.subarray(0, bytes - at)
    found.set(part, at)
    at += part.length
    if (at === bytes) break
  }
  return found
}

interface Described {
  readonly name: string
  readonly role: ColumnRole
  readonly dtype: DType
  readonly shape: Shape
  readonly names?: readonly string[] | null | undefined
}

async function preview(
  format: string,
  rows: number,
  columns: readonly Described[],
  read: (index: number, bytes: number) => Promise<Uint8Array>,
): Promise<DatasetPreview> {
  const described: PreviewColumn[] = []
  let classBalance: DatasetPreview['classBalance'] = []
  for (const [index, column] of columns.entries()) {
    const size = rowBytes(column)
    const n = Math.min(rows, Math.max(1, Math.floor(BYTES / size)))
    const bytes = await read(index, n * size)
    const numbers = await numberDecoder(bytesRows(column.dtype, column.shape, bytes))(0, n)
    described.push(describe(column, n, numbers, bytes))
    if (column.role === 'LABEL' && numel(column.shape) === 1) classBalance = balanceOf(column, numbers)
  }
  return { format, rows, columns: described, classBalance }
}

function describe(
  { name, role, dtype, shape, names }: Described,
  n: number,
  numbers: Float64Array,
  bytes: Uint8Array,
): PreviewColumn {
  const isText = names != null || (role === 'ID' && shape.length > 0)
  const { min, max, mean, std, missing } = isText ? NO_STATISTICS : statisticsOf(numbers)
  const width = numel(shape)
  const shown = Math.min(n, SHOWN_ROWS)
  const valueAt = (row: number): unknown => {
    if (role === 'ID' && shape.length > 0)
      return new TextDecoder().decode(bytes.subarray(row * width, (row + 1) * width)).replace(/\0+$/, '')
    const own = Array.from(numbers.subarray(row * width, (row + 1) * width), (value) =>
      names == null ? (Number.isNaN(value) ? null : value) : (names[value] ?? null),
    )
    return shape.length === 0 ? own[0] : own
  }
  return {
    ...{ name, role, dtype, shape, min, max, mean, std, missing },
    values: isText || width <= SHOWN_NUMBERS ? Array.from({ length: shown }, (_, row) => valueAt(row)) : null,
  }
}

const NO_STATISTICS = { min: null, max: null, mean: null, std: null, missing: 0 }

function statisticsOf(numbers: Float64Array) {
  const there = numbers.filter((value) => !Number.isNaN(value))
  const missing = numbers.length - there.length
  if (there.length === 0) return { ...NO_STATISTICS, missing }
  const mean = there.reduce((sum, value) => sum + value, 0) / there.length
  const squares = there.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return {
    min: there.reduce((a, b) => Math.min(a, b)),
    max: there.reduce((a, b) => Math.max(a, b)),
    mean,
    std: Math.sqrt(squares / there.length),
    missing,
  }
}

function balanceOf({ names }: Described, numbers: Float64Array): DatasetPreview['classBalance'] {
  const counts = new Map<number, number>()
  for (const value of numbers) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts]
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .slice(0, SHOWN_CLASSES)
    .map(([value, samples]) => ({ label: names?.[value] ?? String(value), samples }))
}
