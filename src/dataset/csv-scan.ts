import { quoted, type ByteSource } from '../container/index.ts'
import { AppError } from '../error.ts'
import type { ColumnStatistics } from './columns.ts'
import { csvColumns, type CsvColumns } from './csv-header.ts'
import { labelScan, type CsvLabels, type MissingLabel } from './csv-labels.ts'
import { csvNumber } from './csv-number.ts'
import { csvRecords, lineOf, type CsvDialect } from './csv-records.ts'
import type { DatasetLimits } from './dataset-limits.ts'
import type { DatasetOptions } from './dataset-options.ts'

/** What one pass over a CSV file found out. */
export interface CsvFacts {
  readonly columns: CsvColumns
  readonly rows: number
  readonly features: ColumnStatistics
  /** One for each label column. */
  readonly labels: readonly CsvLabels[]
}

/**
 * Reads the whole file once: counts rows, checks every feature and gathers the labels.
 * @throws AppError DATASET_CORRUPT, DATASET_NOT_FINITE with line and column; BAD_INPUT, LIMIT_EXCEEDED.
 */
export async function scanCsv(
  source: ByteSource,
  dialect: CsvDialect,
  options: DatasetOptions,
  limits: DatasetLimits,
): Promise<CsvFacts> {
  let columns: CsvColumns | null = null
  let scans: ReturnType<typeof labelScan>[] = []
  let record = 0
  let [min, max, integral] = [Infinity, -Infinity, true]
  for await (const fields of csvRecords(source, dialect, limits)) {
    if (columns === null) {
      columns = csvColumns(source, fields, options, limits)
      scans = columns.labels.map((index) => labelScan(`${source.name}: column ${quoted(fields[index]!)}`, limits))
      continue
    }
    record++
    for (const index of columns.features) {
      const value = Math.fround(csvNumber(fields[index]!) ?? NaN)
      if (value < min) min = value
      if (value > max) max = value
      if (integral && value !== Math.floor(value)) integral = false
      // NaN − NaN and ∞ − ∞ are NaN.
      if (value - value !== 0) throw await badFeature(columns, index, fields[index]!, record)
    }
    for (let i = 0; i < scans.length; i++) scans[i]!.see(fields[columns.labels[i]!]!, record)
  }
  if (columns === null || record === 0)
    throw new AppError(
      'DATASET_CORRUPT',
      `${source.name} has ${columns === null ? 'no lines' : 'a header and no rows'}`,
    )
  const labels: CsvLabels[] = []
  for (const [i, scan] of scans.entries()) {
    const found = scan.finish()
    if ('missing' in found) throw await missingLabel(columns.names[columns.labels[i]!]!, found.missing)
    labels.push(found)
  }
  return { columns, rows: record, features: { min, max, integral }, labels }

  async function place(at: number, name: string): Promise<string> {
    return `${source.name}: line ${await lineOf(source, dialect, limits, at)}, column ${quoted(name)}`
  }

  async function badFeature({ names }: CsvColumns, index: number, text: string, at: number): Promise<AppError> {
    const where = await place(at, names[index]!)
    const value = csvNumber(text)
    if (value === null)
      return new AppError(
        'DATASET_CORRUPT',
        `${where}: ${quoted(text, 60)} is no number; encode text as numbers, or choose featureColumns without it`,
      )
    const problem = text.trim() === '' ? 'is missing' : `is ${quoted(text, 60)}, not a finite float32 number`
    return new AppError('DATASET_NOT_FINITE', `${where} ${problem}; replace or drop such rows`)
  }

  async function missingLabel(name: string, { record: at, text }: MissingLabel): Promise<AppError> {
    const problem = text === '' ? 'the label is missing' : `the label is ${quoted(text, 60)}`
    return new AppError('DATASET_NOT_FINITE', `${await place(at, name)}: ${problem}; replace or drop such rows`)
  }
}
