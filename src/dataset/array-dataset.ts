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
import { labelCodes, labelNameSet, readTexts } from './text-labels.ts'
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
  const names = await textLabelNames(source, roled, limits)
  const columns = roled.map(({ array, role }): Column => {
    const dtype = array.element.kind === 'TEXT' ? 'int64' : array.element.dtype
    return { name: array.name, role, dtype, shape: array.shape.slice(1) }
  })
  const statistics = new Map<number, ColumnStatistics>()
  return {
    format,
    rows,
    columns,
    labelNames: names,
    async *read(index) {
      const column = columns[index]!
      const check = columnCheck(source.name, column)
      for await (const piece of denseBytes(source, roled[index]!.array, names, limits)) {
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

function checkArray(source: ByteSource, array: StoredArray, role: ColumnRole): void {
  const { element, shape } = array
  if (shape.length === 0)
    throw new AppError(
      'DATASET_CORRUPT',
      `${source.name}: ${describeArray(array)} is one value; its first dimension has to be the samples'`,
    )
  if (shape.includes(0))
    throw new AppError('DATASET_CORRUPT', `${source.name}: ${describeArray(array)} has no elements`)
  if (element.kind === 'TEXT' && role === 'FEATURE')
    throw new AppError(
      'DATASET_UNSUPPORTED',
      `${source.name}: ${describeArray(array)} is text; features have to be numbers: encode it`,
    )
}

function commonRows(source: ByteSource, roled: readonly RoledArray[]): number {
  const rows = roled[0]!.array.shape[0]!
  if (roled.every(({ array }) => array.shape[0] === rows)) return rows
  const counts = roled.map(({ array }) => `${showName(array.name)} has ${array.shape[0]!}`).join(', ')
  throw new AppError('DATASET_CORRUPT', `${source.name}: the arrays are of different numbers of samples: ${counts}`)
}

async function textLabelNames(
  source: ByteSource,
  roled: readonly RoledArray[],
  limits: DatasetLimits,
): Promise<readonly string[] | null> {
  const text = roled.find(({ array }) => array.element.kind === 'TEXT')
  if (text === undefined) return null
  const names = labelNameSet(`${source.name}: ${showName(text.array.name)}`, limits)
  for await (const label of textsOf(source, text.array, limits)) {
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
  names: readonly string[] | null,
  limits: DatasetLimits,
): AsyncGenerator<Uint8Array> {
  const { element } = array
  if (element.kind === 'TEXT') {
    yield* labelCodes(textsOf(source, array, limits), names!)
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
