import { quoted, type ByteSource } from '../container/index.ts'
import { AppError } from '../error.ts'
import { csvNumber } from './csv-number.ts'
import { csvRecords, lineOf, type CsvDialect } from './csv-records.ts'
import type { DatasetLimits } from './dataset-limits.ts'
import type { DatasetOptions } from './dataset-options.ts'
import { listed } from './show-name.ts'
import { checkColumnCount, type Table, type TableBatch } from './table.ts'

/** Cells of a batch: some hundred KiB of text. */
const BATCH_CELLS = 1 << 16

/**
 * A CSV file with a header line. Cells that look like numbers are numbers.
 * @throws AppError DATASET_CORRUPT, LIMIT_EXCEEDED, BAD_INPUT.
 */
export async function csvTable(source: ByteSource, options: DatasetOptions, limits: DatasetLimits): Promise<Table> {
  const dialect = { delimiter: options.delimiter ?? ',' }
  if (dialect.delimiter === '' || /["\r\n]/.test(dialect.delimiter))
    throw new AppError('BAD_INPUT', `delimiter ${quoted(dialect.delimiter)} cannot stand between fields`)
  const names = await header(source, dialect, options, limits)
  return {
    format: 'csv',
    names,
    numberOf: (cell) => csvNumber(cell as string),
    place: async (row, name) =>
      `${source.name}: line ${await lineOf(source, dialect, limits, row + 1)}, column ${quoted(name)}`,
    batches: () => batches(source, dialect, limits, Math.max(1, Math.floor(BATCH_CELLS / names.length))),
  }
}

async function* batches(
  source: ByteSource,
  dialect: CsvDialect,
  limits: DatasetLimits,
  size: number,
): AsyncGenerator<TableBatch> {
  let records: string[][] = []
  let isHeader = true
  for await (const record of csvRecords(source, dialect, limits)) {
    if (isHeader) {
      isHeader = false
      continue
    }
    records.push(record)
    if (records.length < size) continue
    yield batchOf(records)
    records = []
  }
  if (records.length > 0) yield batchOf(records)
}

const batchOf = (records: readonly string[][]): TableBatch => ({
  rows: records.length,
  column: (index) => records.map((record) => record[index]),
})

async function header(
  source: ByteSource,
  dialect: CsvDialect,
  options: DatasetOptions,
  limits: DatasetLimits,
): Promise<string[]> {
  for await (const record of csvRecords(source, dialect, limits)) {
    const names = record.map((name) => name.trim())
    checkNames(source, names, options, limits)
    return names
  }
  throw new AppError('DATASET_CORRUPT', `${source.name} has no lines`)
}

function checkNames(
  source: ByteSource,
  names: readonly string[],
  options: DatasetOptions,
  limits: DatasetLimits,
): void {
  checkColumnCount(source, names, limits)
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
