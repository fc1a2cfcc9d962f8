import {
  parquetMetadataAsync,
  parquetRead,
  parquetSchema,
  type AsyncBuffer,
  type ColumnMetaData,
  type FileMetaData,
  type SchemaElement,
} from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { quoted, type ByteSource } from '../container/index.ts'
import { AppError } from '../error.ts'
import type { DatasetLimits } from './dataset-limits.ts'
import { columnNumbers, hasPlainNumbers } from './parquet-numbers.ts'
import { readAs } from './read-as.ts'
import { checkColumnCount, numbersOfCells, typedNumber, type Table, type TableBatch } from './table.ts'

/** Bytes of a footer: that of a table of 10,000 columns and 1,000 row groups has some. */
const MAX_FOOTER_BYTES = 256 * 2 ** 20
/** Bytes of a footer that are read with the end of the file. */
const TAIL_BYTES = 1 << 19

/**
 * A Parquet file. A row group's column is decoded at a time.
 * @throws AppError DATASET_CORRUPT, DATASET_UNSUPPORTED, LIMIT_EXCEEDED.
 */
export async function parquetTable(source: ByteSource, limits: DatasetLimits): Promise<Table> {
  const file = asyncBuffer(source)
  await checkFooter(source)
  const metadata = await readAs('Parquet', source, () => parquetMetadataAsync(file, { initialFetchSize: TAIL_BYTES }))
  checkGroups(source, metadata, limits)
  const columns = parquetSchema(metadata).children
  const names = columns.map(({ element }) => element.name)
  checkColumnCount(source, names, limits)
  return {
    format: 'parquet',
    names,
    numberOf: typedNumber,
    place: (row, name) => Promise.resolve(`${source.name}: row ${row}, column ${quoted(name)}`),
    async *batches() {
      let first = 0
      for (const group of metadata.row_groups) {
        const rows = Number(group.num_rows)
        const start = first
        const cells = async (index: number, count = rows) =>
          checked(
            source,
            names[index]!,
            await columnOf(source, file, metadata, limits, names[index]!, start, count),
            count,
            rows,
          )
        const chunks = new Map(group.columns.map(({ meta_data: own }) => [own?.path_in_schema.join('.'), own]))
        const numbers = async (index: number) => {
          const { element, path } = columns[index]!
          const chunk = chunks.get(path.join('.'))
          return (
            (await numbersOf(source, chunk, element, rows, limits)) ?? numbersOfCells(await cells(index), typedNumber)
          )
        }
        if (rows > 0) yield await Promise.resolve<TableBatch>({ rows, cells, numbers })
        first += rows
      }
    },
  }
}

/** The cells of a column in one row group. */
async function columnOf(
  source: ByteSource,
  file: AsyncBuffer,
  metadata: FileMetaData,
  limits: DatasetLimits,
  name: string,
  first: number,
  rows: number,
): Promise<ArrayLike<unknown>> {
  const chunks: ArrayLike<unknown>[] = []
  await readAs('Parquet', source, () =>
    parquetRead({
      file,
      metadata,
      columns: [name],
      rowStart: first,
      rowEnd: first + rows,
      compressors: boundedCompressors(source, limits),
      onChunk: ({ columnData }) => chunks.push(columnData),
    }),
  )
  return chunks.length === 1 ? chunks[0]! : chunks.flatMap((chunk) => Array.from(chunk))
}

/** As many cells as were asked for: a page that holds some of them comes whole. */
function checked(
  source: ByteSource,
  name: string,
  cells: ArrayLike<unknown>,
  count: number,
  rows: number,
): ArrayLike<unknown> {
  if (cells.length < count || cells.length > rows)
    throw new AppError(
      'DATASET_CORRUPT',
      `${source.name}: column ${quoted(name)} has ${cells.length} values for ${count} rows`,
    )
  return cells
}

/** The numbers of a column in a row group; null where hyparquet has to read it. */
async function numbersOf(
  source: ByteSource,
  column: ColumnMetaData | undefined,
  element: SchemaElement,
  rows: number,
  limits: DatasetLimits,
): Promise<Float64Array | null> {
  if (column === undefined || !hasPlainNumbers(element)) return null
  if (column.type !== element.type || Number(column.num_values) !== rows) return null
  // As much memory as the numbers take, whatever the file says of their count.
  if (8 * rows > limits.maxChunkBytes) return null
  // Some writers say that the dictionary is at 0 where there is none.
  const { dictionary_page_offset: dictionary = 0n, data_page_offset: data } = column
  const start = Number(dictionary > 0n && dictionary < data ? dictionary : data)
  const length = Number(column.total_compressed_size)
  return await readAs('Parquet', source, async () => {
    if (!(start >= 0 && length >= 0 && start + length <= source.size))
      throw new Error(`the column ${quoted(element.name)} lies outside of the file`)
    if (length > limits.maxChunkBytes)
      throw new AppError(
        'LIMIT_EXCEEDED',
        `${source.name} has ${length} bytes of ${quoted(element.name)} in a row group, the limit is ${limits.maxChunkBytes}`,
      )
    const chunk = await source.read(start, length)
    return columnNumbers(chunk, column, element, rows, boundedCompressors(source, limits))
  })
}

/** Pages are unpacked into memory whose size the file states. */
const boundedCompressors = (source: ByteSource, { maxChunkBytes }: DatasetLimits): typeof compressors =>
  Object.fromEntries(
    Object.entries(compressors).map(([codec, unpack]) => [
      codec,
      (input: Uint8Array, length: number) => {
        if (length > maxChunkBytes)
          throw new AppError(
            'LIMIT_EXCEEDED',
            `${source.name} has a page of ${length} bytes, the limit is ${maxChunkBytes}`,
          )
        // What packs nothing still takes a byte, which not every unpacker knows.
        return length === 0 ? new Uint8Array() : unpack(input, length)
      },
    ]),
  )

function asyncBuffer(source: ByteSource): AsyncBuffer {
  return {
    byteLength: source.size,
    slice: async (start, end = source.size) => {
      const bytes = await source.read(start, end - start)
      return new Uint8Array(bytes).buffer
    },
  }
}

/** The last eight bytes: length of the footer, and the signature. */
async function checkFooter(source: ByteSource): Promise<void> {
  const ending = source.size >= 12 ? await source.read(source.size - 8, 8) : new Uint8Array(8)
  const signature = new TextDecoder().decode(ending.subarray(4))
  if (signature === 'PARE')
    throw new AppError('DATASET_UNSUPPORTED', `${source.name} is encrypted; save it as plain Parquet`)
  const length = new DataView(ending.buffer, ending.byteOffset).getUint32(0, true)
  if (signature !== 'PAR1' || length > source.size - 12)
    throw new AppError('DATASET_CORRUPT', `${source.name} has no Parquet footer; the file is cut off`)
  if (length > MAX_FOOTER_BYTES)
    throw new AppError(
      'LIMIT_EXCEEDED',
      `${source.name} has a footer of ${length} bytes, the limit is ${MAX_FOOTER_BYTES}`,
    )
}

/** What the footer says is to be read at once has to be in the file, and not too much. */
function checkGroups(source: ByteSource, { row_groups, num_rows }: FileMetaData, limits: DatasetLimits): void {
  let rows = 0n
  for (const [group, { columns, num_rows: own }] of row_groups.entries()) {
    rows += own
    for (const { meta_data: column } of columns) {
      if (column === undefined)
        throw new AppError('DATASET_UNSUPPORTED', `${source.name} keeps its columns in other files`)
      const name = quoted(column.path_in_schema.join('.'))
      const bytes = column.total_uncompressed_size
      if (bytes > BigInt(limits.maxChunkBytes))
        throw new AppError(
          'LIMIT_EXCEEDED',
          `${source.name}: row group ${group} has ${bytes} bytes of ${name}, the limit is ${limits.maxChunkBytes}; save it with smaller row groups (row_group_size)`,
        )
      if (column.num_values < 0n || column.num_values > BigInt(limits.maxChunkBytes))
        throw new AppError(
          'DATASET_CORRUPT',
          `${source.name}: row group ${group} has ${column.num_values} values of ${name}`,
        )
    }
  }
  if (rows !== num_rows || rows > BigInt(Number.MAX_SAFE_INTEGER))
    throw new AppError(
      'DATASET_CORRUPT',
      `${source.name} has ${rows} rows in its row groups and says that it has ${num_rows}`,
    )
}
