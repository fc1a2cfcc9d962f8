import type { DType, Shape } from '../tensor/index.ts'
import type { DatasetFormat } from './dataset-options.ts'

/**
 * What a column is for: features go into the model, labels are the truth, a weight says how much a sample counts, slices divide the
 * samples, an id names them.
 */
export type ColumnRole = 'FEATURE' | 'LABEL' | 'WEIGHT' | 'SLICE' | 'ID'

/** One named array of a dataset: `rows` samples of `shape` elements of `dtype`, row-major. */
export interface Column {
  readonly name: string
  readonly role: ColumnRole
  readonly dtype: DType
  /** Of one sample, without the batch dimension: `[]` for one number a sample. */
  readonly shape: Shape
  /** Distinct strings, sorted, where the values were strings: int64 codes count into them. Null or absent for numbers. */
  readonly names?: readonly string[] | null | undefined
}

/** Facts about a column that preflight needs, gathered while it is read. */
export interface ColumnStatistics {
  readonly min: number
  readonly max: number
  /** True when every value is a whole number. */
  readonly integral: boolean
}

/**
 * A dataset file that was recognised. Columns are read one after the other, each as a stream of dense little-endian
 * bytes; values that were strings arrive as int64 codes into the column's `names`.
 */
export interface DatasetFile extends AsyncDisposable {
  readonly format: DatasetFormat
  /** Number of samples. */
  readonly rows: number
  readonly columns: readonly Column[]
  /**
   * The bytes of a column, in order, in pieces of at most 1 MiB.
   * @throws AppError DATASET_NOT_FINITE, DATASET_CORRUPT.
   */
  read(column: number): AsyncIterable<Uint8Array>
  /** Known once the column was read to its end. */
  statistics(column: number): ColumnStatistics
}
