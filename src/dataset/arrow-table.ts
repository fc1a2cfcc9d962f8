import { RecordBatchReader, type Vector } from 'apache-arrow'
import { quoted, readPieces, type ByteSource } from '../container/index.ts'
import type { DatasetLimits } from './dataset-limits.ts'
import { readAs } from './read-as.ts'
import { batchOfCells, checkColumnCount, isList, typedNumber, type Table, type TableBatch } from './table.ts'

/** Bytes before the stream in a file: `ARROW1` and two bytes of padding. */
const FILE_HEAD = 8

/**
 * An Arrow file (Feather 2) or stream. One record batch is in memory at a time.
 * @throws AppError DATASET_CORRUPT, DATASET_UNSUPPORTED for compressed bodies, LIMIT_EXCEEDED.
 */
export async function arrowTable(source: ByteSource, limits: DatasetLimits): Promise<Table> {
  const reader = await readAs('Arrow', source, () => open(source))
  const names = reader.schema.fields.map(({ name }) => name)
  await reader.cancel()
  checkColumnCount(source, names, limits)
  return {
    format: 'arrow',
    names,
    numberOf: typedNumber,
    place: (row, name) => Promise.resolve(`${source.name}: row ${row}, column ${quoted(name)}`),
    batches: () => batches(source),
  }
}

async function* batches(source: ByteSource): AsyncGenerator<TableBatch> {
  const reader = await readAs('Arrow', source, () => open(source))
  try {
    for (;;) {
      const next = await readAs('Arrow', source, () => reader.next())
      if (next.done === true) return
      const batch = next.value
      const { numRows: rows } = batch
      if (rows > 0)
        yield batchOfCells(rows, (index, count) => cells(batch.getChildAt(index) as Vector, count), typedNumber)
    }
  } finally {
    await reader.cancel()
  }
}

/** Typed values as they are; what may be missing, text and lists one by one. */
function cells(vector: Vector, count: number): ArrayLike<unknown> {
  return Array.from({ length: count }, (_, i): unknown => {
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
