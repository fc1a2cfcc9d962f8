import type { ByteSource } from '../container/index.ts'
import { AppError } from '../error.ts'
import type { DatasetLimits } from './dataset-limits.ts'
import type { DatasetFormat } from './dataset-options.ts'

/** Some rows of a table, one column at a time. */
export interface TableBatch {
  readonly rows: number
  /** The first cells of a column, by default all; only columns that were asked for can be had. */
  cells(index: number, count?: number): ArrayLike<unknown> | Promise<ArrayLike<unknown>>
  /** The numbers of a column, as `numberOf` has them; something that is not finite for every other cell. */
  numbers(index: number): ArrayLike<number> | Promise<ArrayLike<number>>
}

/** A file of records. Its cells are strings, numbers, booleans, bigints, dates, arrays of numbers, or null and undefined for nothing. */
export interface Table {
  readonly format: DatasetFormat
  readonly names: readonly string[]
  /** The number that a cell holds; NaN for one that is missing or not finite, null for text and for what is no single value. */
  numberOf(cell: unknown): number | null
  /** Where a cell is, for messages: `flowers.csv: line 3, column "petal"`. */
  place(row: number, name: string): Promise<string>
  /** All rows in order, in batches of bounded size. */
  batches(wanted: readonly number[]): AsyncIterable<TableBatch>
}

/** A batch of rows whose cells lie there as values. @param cells the first `count` cells of a column. */
export function batchOfCells(
  rows: number,
  cells: (index: number, count: number) => ArrayLike<unknown>,
  numberOf: Table['numberOf'],
): TableBatch {
  return {
    rows,
    cells: (index, count = rows) => cells(index, count),
    numbers: (index) => numbersOfCells(cells(index, rows), numberOf),
  }
}

/** See `TableBatch.numbers`. */
export function numbersOfCells(cells: ArrayLike<unknown>, numberOf: Table['numberOf']): Float64Array {
  const numbers = new Float64Array(cells.length)
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i]
    numbers[i] = typeof cell === 'number' ? cell : (numberOf(cell) ?? NaN)
  }
  return numbers
}

/** @throws AppError LIMIT_EXCEEDED for more columns than there may be. */
export function checkColumnCount(
  source: ByteSource,
  { length }: readonly string[],
  { maxColumns }: DatasetLimits,
): void {
  if (length > maxColumns)
    throw new AppError('LIMIT_EXCEEDED', `${source.name} has ${length} columns, the limit is ${maxColumns}`)
}

/** `numberOf` where cells have types: text is text. */
export function typedNumber(cell: unknown): number | null {
  switch (typeof cell) {
    case 'number':
      return Number.isFinite(cell) ? cell : NaN
    case 'bigint':
    case 'boolean':
      return Number(cell)
    case 'undefined':
      return NaN
    case 'object':
      return cell === null ? NaN : cell instanceof Date ? cell.getTime() : null
    default:
      return null
  }
}

/** What a cell is called as a name: text without the spaces around it; empty where there is nothing. */
export function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return ''
  if (typeof cell === 'string') return cell.trim()
  if (cell instanceof Date) return cell.toISOString()
  if (typeof cell === 'object') return JSON.stringify(cell)
  return (cell as number | bigint | boolean).toString()
}

/** Whether a cell holds several numbers. */
export const isList = (cell: unknown): cell is ArrayLike<unknown> =>
  Array.isArray(cell) || (ArrayBuffer.isView(cell) && !(cell instanceof DataView))
