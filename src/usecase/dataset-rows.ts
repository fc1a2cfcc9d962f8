import { bytesRows, numberDecoder, rowBytes } from '../evaluation/index.ts'
import type { DatasetColumnRow } from '../store/index.ts'
import type { DType } from '../tensor/index.ts'
import type { Platform } from './platform.ts'
import { storedDType } from './stored-dtype.ts'

/** Rows of a stored column that follow each other. */
export async function readColumnRows(
  { store }: Platform,
  { dtype, shape, storageHash }: DatasetColumnRow,
  firstRow: number,
  n: number,
): Promise<{ readonly dtype: DType; readonly bytes: Uint8Array }> {
  const stored = storedDType(dtype)
  const size = rowBytes({ dtype: stored, shape })
  const bytes = new Uint8Array(n * size)
  let at = 0
  for await (const piece of store.bytes.read(storageHash, { offset: firstRow * size, length: n * size })) {
    bytes.set(piece, at)
    at += piece.length
  }
  return { dtype: stored, bytes }
}

/** The same as float64 numbers. */
export async function readColumnNumbers(
  platform: Platform,
  column: DatasetColumnRow,
  firstRow: number,
  n: number,
): Promise<Float64Array> {
  const { dtype, bytes } = await readColumnRows(platform, column, firstRow, n)
  return await numberDecoder(bytesRows(dtype, column.shape, bytes))(0, n)
}

/** What a dataset calls some of its samples; null where it has no names for them. */
export async function readIds(
  platform: Platform,
  { columns }: { readonly columns: readonly DatasetColumnRow[] },
  rows: readonly number[],
): Promise<readonly string[] | null> {
  const column = columns.find(({ role }) => role === 'ID')
  if (column === undefined) return null
  return await Promise.all(
    rows.map(async (row) => {
      if (column.shape.length === 0) return String((await readColumnNumbers(platform, column, row, 1))[0])
      const { bytes } = await readColumnRows(platform, column, row, 1)
      return new TextDecoder().decode(bytes).replace(/\0+$/, '')
    }),
  )
}
