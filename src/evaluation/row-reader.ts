import { open } from 'node:fs/promises'
import { itemSize, numel, type DType, type Shape } from '../tensor/index.ts'
import { readExactly } from '../container/index.ts'

/** A column of a dataset, read by rows in any order. */
export interface RowReader {
  readonly dtype: DType
  /** Of one row: `[]` for one number. */
  readonly shape: Shape
  /**
   * Fills `into`, which has room for a whole number of rows, with the rows from `firstRow`: dense little-endian elements.
   */
  read(firstRow: number, into: Uint8Array): Promise<void>
}

/** Bytes of one row. */
export const rowBytes = ({ dtype, shape }: Pick<RowReader, 'dtype' | 'shape'>): number => numel(shape) * itemSize(dtype)

/** Where the bytes of a column lie. */
export interface ColumnFile {
  readonly path: string
  /** Byte at which row 0 begins. */
  readonly offset?: number
  readonly dtype: DType
  readonly shape: Shape
  readonly rows: number
  /** For a file that is still growing: resolves when its first `bytes` bytes are there. */
  readonly arrived?: ((bytes: number) => Promise<void>) | undefined
}

/**
 * Rows of a column in a file.
 * @throws Error when the file is shorter than its rows.
 */
export async function fileRows(column: ColumnFile): Promise<RowReader & AsyncDisposable> {
  const { path, offset = 0, dtype, shape, rows, arrived } = column
  const size = rowBytes(column)
  const file = await open(path, 'r')
  if (arrived === undefined) {
    const { size: found } = await file.stat()
    if (found < offset + rows * size) {
      await file.close()
      throw new Error(`${path}: ${found} bytes were found, ${rows} rows of ${size} bytes from ${offset} were expected`)
    }
  }
  return {
    dtype,
    shape,
    async read(firstRow, into) {
      const position = offset + firstRow * size
      await arrived?.(position + into.byteLength)
      await readExactly(file, into, position, path)
    },
    [Symbol.asyncDispose]: () => file.close(),
  }
}

/** Rows in memory. */
export function bytesRows(dtype: DType, shape: Shape, bytes: Uint8Array): RowReader {
  const size = rowBytes({ dtype, shape })
  return {
    dtype,
    shape,
    read(firstRow, into) {
      into.set(bytes.subarray(firstRow * size, firstRow * size + into.byteLength))
      return Promise.resolve()
    },
  }
}
