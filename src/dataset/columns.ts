import type { DType, Shape } from '../tensor/index.ts'

/** What a column is for. */
export type ColumnRole = 'FEATURE' | 'LABEL'

/** One named array of a dataset: `rows` samples of `shape` elements of `dtype`, row-major. */
export interface Column {
  readonly name: string
  readonly role: ColumnRole
  readonly dtype: DType
  /** Of one sample, without the batch dimension: `[]` for one number a sample. */
  readonly shape: Shape
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
 * bytes; labels that were strings arrive as int64 codes into `labelNames`.
 */
export interface DatasetFile extends AsyncDisposable {
  readonly format: 'npz' | 'npy' | 'safetensors' | 'csv'
  /** Number of samples. */
  readonly rows: number
  readonly columns: readonly Column[]
  /** Distinct label strings, sorted, when labels were strings; else null. */
  readonly labelNames: readonly string[] | null
  /**
   * The bytes of a column, in order, in pieces of at most 1 MiB.
   * @throws AppError DATASET_NOT_FINITE, DATASET_CORRUPT.
   */
  read(column: number): AsyncIterable<Uint8Array>
  /** Known once the column was read to its end. */
  statistics(column: number): ColumnStatistics
}
