import type { ByteSource } from '../container/index.ts'
import { AppError, invariant } from '../error.ts'
import { itemSize, numel } from '../tensor/index.ts'
import { columnCheck } from './column-check.ts'
import type { Column, ColumnRole, ColumnStatistics, DatasetFile } from './columns.ts'
import type { DatasetLimits } from './dataset-limits.ts'
import type { DatasetFormat } from './dataset-options.ts'
import { isRowMajor, rowMajorPieces } from './fortran-order.ts'
import { showName } from './show-name.ts'
import { describeArray, type StoredArray } from './stored-array.ts'
import { swapBytes } from './swap-bytes.ts'
import { labelCodes, labelNameSet, paddedTexts, readTexts } from './text-labels.ts'
import { wholeElements } from './whole-elements.ts'

/** An array and what it is for. */
export interface RoledArray {
  readonly array: StoredArray
  readonly role: ColumnRole
}

/**
 * A dataset whose columns are arrays. Their first dimension is the samples'.
 * @throws AppError DATASET_CORRUPT when they are of different length, DATASET_UNSUPPORTED for text as features.
 */
export async function arrayDataset(
  source: ByteSource,
  format: DatasetFormat,
  roled: readonly RoledArray[],
  limits: DatasetLimits,
): Promise<DatasetFile> {
  for (const { array, role } of roled) checkArray(source, array, role)
  const rows = commonRows(source, roled)
  const columns: Column[] = []
  for (const { array, role } of roled) columns.push(await columnOf(source, array, role, limits))
  const statistics = new Map<number, ColumnStatistics>()
  return {
    format,
    rows,
    columns,
    async *read(index) {
      const column = columns[index]!
      const check = columnCheck(source.name, column)
      for await (const piece of denseBytes(source, roled[index]!.array, column, limits)) {
        check.see(piece)
        yield piece
      }
      statistics.set(index, check.statistics())
    },
    statistics(index) {
      const found = statistics.get(index)
      invariant(found, `column ${index} has not been read to its end`)
      return found
    },
    // The source is its opener's to close.
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

async function columnOf(
  source: ByteSource,
  array: StoredArray,
  role: ColumnRole,
  limits: DatasetLimits,
): Promise<Column> {
  const { name, element, shape } = array
  if (element.kind !== 'TEXT') return { name, role, dtype: element.dtype, shape: shape.slice(1) }
  if (role === 'ID') return { name, role, dtype: 'uint8', shape: [idWidth(source, array, limits)] }
  return { name, role, dtype: 'int64', shape: shape.slice(1), names: await namesOf(source, array, limits) }
}

/** Bytes of the longest id that the array has room for, in UTF-8. */
function idWidth(source: ByteSource, { name, element }: StoredArray, { maxIdBytes }: DatasetLimits): number {
  // A character of UTF-32 takes four bytes, and at most four in UTF-8.
  if (element.size <= maxIdBytes) return element.size
  throw new AppError(
    'LIMIT_EXCEEDED',
    `${source.name}: the ids of ${showName(name)} have room for ${element.size} bytes, the limit is ${maxIdBytes}`,
  )
}

function checkArray(source: ByteSource, array: StoredArray, role: ColumnRole): void {
  const { element, shape } = array
  if (shape.length === 0)
    throw new AppError(
      'DATASET_CORRUPT',
      `${source.name}: ${describeArray(array)} is one value; its first dimension has to be the samples'`,
    )
  if (shape.includes(0))
    throw new AppError('DATASET_CORRUPT', `${source.name}: ${describeArray(array)} has no elements`)
  if (element.kind === 'TEXT' && (role === 'FEATURE' || role === 'WEIGHT'))
    throw new AppError(
      'DATASET_UNSUPPORTED',
      `${source.name}: ${describeArray(array)} is text; ${role === 'FEATURE' ? 'features' : 'weights'} have to be numbers: encode it`,
    )
}

function commonRows(source: ByteSource, roled: readonly RoledArray[]): number {
  const rows = roled[0]!.array.shape[0]!
  if (roled.every(({ array }) => array.shape[0] === rows)) return rows
  const counts = roled.map(({ array }) => `${showName(array.name)} has ${array.shape[0]!}`).join(', ')
  throw new AppError('DATASET_CORRUPT', `${source.name}: the arrays are of different numbers of samples: ${counts}`)
}

async function namesOf(source: ByteSource, array: StoredArray, limits: DatasetLimits): Promise<readonly string[]> {
  const names = labelNameSet(`${source.name}: ${showName(array.name)}`, limits)
  for await (const label of textsOf(source, array, limits)) {
    const refusal = names.add(label)
    if (refusal !== null) throw refusal
  }
  return names.sorted()
}

function textsOf(source: ByteSource, array: StoredArray, limits: DatasetLimits): AsyncIterable<string> {
  invariant(array.element.kind === 'TEXT', `${array.name} is no text`)
  return readTexts(`${source.name}: ${showName(array.name)}`, rowMajor(array, limits), array.element, limits)
}

const rowMajor = (array: StoredArray, limits: DatasetLimits): AsyncIterable<Uint8Array> =>
  isRowMajor(array) ? array.pieces() : rowMajorPieces(array, limits)

/** The values of an array as a column has them: row-major, little-endian, text as codes. */
async function* denseBytes(
  source: ByteSource,
  array: StoredArray,
  { role, names, shape }: Column,
  limits: DatasetLimits,
): AsyncGenerator<Uint8Array> {
  const { element } = array
  if (element.kind === 'TEXT') {
    const texts = textsOf(source, array, limits)
    yield* role === 'ID' ? paddedTexts(texts, shape[0]!) : labelCodes(texts, names!)
    return
  }
  let bytes = 0
  for await (const piece of wholeElements(rowMajor(array, limits), element.size)) {
    if (element.bigEndian) swapBytes(piece, element.size)
    bytes += piece.length
    yield piece
  }
  const expected = numel(array.shape) * itemSize(element.dtype)
  if (bytes !== expected)
    throw new AppError(
      'DATASET_CORRUPT',
      `${source.name}: ${showName(array.name)} ends after ${bytes} of ${expected} bytes`,
    )
}
