import { quoted, type ByteSource } from '../container/index.ts'
import { AppError } from '../error.ts'
import { csvBlocks, fieldText, type CsvBlock, type CsvDialect } from './csv-blocks.ts'
import { decimalAt } from './csv-decimal.ts'
import { csvNumber } from './csv-number.ts'
import type { DatasetLimits } from './dataset-limits.ts'
import type { DatasetOptions } from './dataset-options.ts'
import { listed } from './show-name.ts'
import { checkColumnCount, type Table, type TableBatch } from './table.ts'

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
    batches: () => batches(source, dialect, limits),
  }
}

async function* batches(source: ByteSource, dialect: CsvDialect, limits: DatasetLimits): AsyncGenerator<TableBatch> {
  // The first record is the header.
  let first = 1
  for await (const block of csvBlocks(source, dialect, limits)) {
    if (block.records > first) yield batchOf(block, first)
    first = 0
  }
}

const batchOf = (block: CsvBlock, first: number): TableBatch => {
  const rows = block.records - first
  return {
    rows,
    cells: (index, count = rows) =>
      Array.from({ length: count }, (_, row) => fieldText(block, (first + row) * block.fields + index)),
    numbers: (index) => numbersOf(block, first, index),
  }
}

function numbersOf(block: CsvBlock, first: number, index: number): Float64Array {
  const { records, fields, bytes, starts, ends } = block
  const numbers = new Float64Array(records - first)
  for (let row = 0, place = first * fields + index; row < numbers.length; row++, place += fields) {
    const value = decimalAt(bytes, starts[place]!, ends[place]!)
    numbers[row] = value === value ? value : (csvNumber(fieldText(block, place)) ?? NaN)
  }
  return numbers
}

/** The line on which record `index` ends; 0 is the header. */
async function lineOf(source: ByteSource, dialect: CsvDialect, limits: DatasetLimits, index: number): Promise<number> {
  let before = 0
  for await (const { records, lines } of csvBlocks(source, dialect, limits)) {
    if (index < before + records) return lines[index - before]!
    before += records
  }
  return 0
}

async function header(
  source: ByteSource,
  dialect: CsvDialect,
  options: DatasetOptions,
  limits: DatasetLimits,
): Promise<string[]> {
  for await (const block of csvBlocks(source, dialect, limits)) {
    const names = Array.from({ length: block.fields }, (_, i) => fieldText(block, i).trim())
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
