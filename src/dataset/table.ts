import type { ByteSource } from '../container/index.ts'
import { AppError } from '../error.ts'
import type { DatasetLimits } from './dataset-limits.ts'
import type { DatasetFormat } from './dataset-options.ts'

/** Some rows of a table, one column at a time. */
export interface TableBatch {
  readonly rows: number
  /** The cells of a column; only those that were asked for can be had. */
  column(index: number): ArrayLike<unknown> | Promise<ArrayLike<unknown>>
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
