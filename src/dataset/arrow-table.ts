import { RecordBatchReader, type Vector } from 'apache-arrow'
import { quoted, readPieces, type ByteSource } from '../container/index.ts'
import { AppError } from '../error.ts'
import type { DatasetLimits } from './dataset-limits.ts'
import { isList, typedNumber, type Table, type TableBatch } from './table.ts'

/** Bytes before the stream in a file: `ARROW1` and two bytes of padding. */
const FILE_HEAD = 8

/**
 * An Arrow file (Feather 2) or stream. One record batch is in memory at a time.
 * @throws AppError DATASET_CORRUPT, DATASET_UNSUPPORTED for compressed bodies, LIMIT_EXCEEDED.
 */
export async function arrowTable(source: ByteSource, limits: DatasetLimits): Promise<Table> {
  const reader = await reading(source, () => open(source))
  const names = reader.schema.fields.map(({ name }) => name)
  await reader.cancel()
  if (names.length > limits.maxColumns)
    throw new AppError(
      'LIMIT_EXCEEDED',
      `${source.name} has ${names.length} columns, the limit is ${limits.maxColumns}`,
    )
  return {
    format: 'arrow',
    names,
    numberOf: typedNumber,
    place: (row, name) => Promise.resolve(`${source.name}: row ${row}, column ${quoted(name)}`),
    batches: () => batches(source),
  }
}

async function* batches(source: ByteSource): AsyncGenerator<TableBatch> {
  const reader = await reading(source, () => open(source))
  try {
    for (;;) {
      const next = await reading(source, () => reader.next())
      if (next.done === true) return
      const batch = next.value
      if (batch.numRows > 0) yield { rows: batch.numRows, column: (index) => cells(batch.getChildAt(index) as Vector) }
    }
  } finally {
    await reader.cancel()
  }
}

/** Typed values as they are; what may be missing, text and lists one by one. */
function cells(vector: Vector): ArrayLike<unknown> {
  return Array.from({ length: vector.length }, (_, i): unknown => {
    const value: unknown = vector.get(i)
    return typeof value === 'object' && value !== null && !isList(value) && !(value instanceof Date)
      ? listOf(value)
      : value
  })
}

/** A list's values come as a vector. */
const listOf = (value: object): unknown =>
  'toArray' in value && typeof value.toArray === 'function' ? (value as Vector).toArray() : value

/** A file is a stream between two signatures: read as one, it needs nothing in memory but the batch. */
async function open(source: ByteSource) {
  const head = await source.read(0, Math.min(FILE_HEAD, source.size))
  const start = new TextDecoder().decode(head.subarray(0, 6)) === 'ARROW1' ? FILE_HEAD : 0
  const reader = await RecordBatchReader.from(readPieces(source, start, source.size - start))
  return await reader.open()
}

async function reading<T>(source: ByteSource, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof AppError) throw error
    const message = error instanceof Error ? error.message : String(error)
    if (/compress/i.test(message))
      throw new AppError(
        'DATASET_UNSUPPORTED',
        `${source.name} is compressed; save it with compression='uncompressed', or as Parquet`,
      )
    throw new AppError('DATASET_CORRUPT', `${source.name} cannot be read as Arrow: ${quoted(message, 200)}`, {
      cause: error,
    })
  }
}
