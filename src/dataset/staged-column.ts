import { AppError } from '../error.ts'
import type { Column, ColumnStatistics } from './columns.ts'
import type { Table, TableBatch } from './table.ts'

/** A column that lies in scratch files. */
export interface StagedColumn {
  readonly column: Column
  readonly statistics: ColumnStatistics
  /** Its bytes in order, in pieces of at most 1 MiB. */
  read(): AsyncIterable<Uint8Array>
}

/** Takes the rows of some columns of a table, batch by batch. */
export interface Stage {
  /** @param firstRow row of the batch's first cell. @throws BadCell, AppError LIMIT_EXCEEDED */
  take(batch: TableBatch, firstRow: number): Promise<void>
  /** After the last batch. Null where nothing can be made of the column and nobody asked for it. @throws BadCell, AppError */
  finish(): StagedColumn | null
}

/** A cell that cannot be used. The table knows where it is. */
export class BadCell extends Error {
  override readonly name = 'BadCell'
  readonly row: number
  readonly column: string
  readonly code: 'DATASET_CORRUPT' | 'DATASET_NOT_FINITE'
  readonly problem: string

  constructor(row: number, column: string, code: BadCell['code'], problem: string) {
    super(problem)
    this.row = row
    this.column = column
    this.code = code
    this.problem = problem
  }
}

/** The error for a user. */
export async function explainCell(table: Table, { row, column, code, problem }: BadCell): Promise<AppError> {
  return new AppError(code, `${await table.place(row, column)}${problem}`)
}

/** Smallest and largest of numbers as they pass by. */
export interface Extent {
  see(value: number): void
  statistics(): ColumnStatistics
}

/** Of nothing seen yet, 0 to 0. */
export function extent(): Extent {
  let [min, max, integral, seen] = [Infinity, -Infinity, true, false]
  return {
    see(value) {
      seen = true
      if (value < min) min = value
      if (value > max) max = value
      if (integral && !Number.isSafeInteger(value)) integral = false
    },
    statistics: () => (seen ? { min, max, integral } : { min: 0, max: 0, integral: true }),
  }
}
