import { quoted, readPieces, type ByteSource } from '../container/index.ts'
import { AppError } from '../error.ts'
import { arrayDataset } from './array-dataset.ts'
import type { DatasetFile } from './columns.ts'
import type { DatasetLimits } from './dataset-limits.ts'
import type { DatasetOptions } from './dataset-options.ts'
import { isRowMajor, rowMajorPieces } from './fortran-order.ts'
import { npyArray } from './npy-array.ts'
import { describeArray, type StoredArray } from './stored-array.ts'
import { wholeElements } from './whole-elements.ts'

/**
 * A file of np.save: one table of numbers, one column of which is the label (`labelColumn` is its index). Other labels
 * do not fit into such a file.
 */
export async function openNpy(
  source: ByteSource,
  options: DatasetOptions,
  limits: DatasetLimits,
): Promise<DatasetFile> {
  const table = await npyArray(
    {
      name: 'x',
      where: source.name,
      length: source.size,
      pieces: () => readPieces(source, 0, source.size),
      read: (offset, length) => source.read(offset, length),
    },
    limits,
  )
  if (options.featureColumns !== undefined)
    throw new AppError(
      'BAD_INPUT',
      `${source.name}: featureColumns names columns, and those of an .npy file have no names`,
    )
  if (options.labelsOptional === true && options.labelColumn === undefined)
    return arrayDataset(source, 'npy', [{ array: table, role: 'FEATURE' }], limits)
  if (table.shape.length === 2 && table.shape[1]! > limits.maxColumns)
    throw new AppError(
      'LIMIT_EXCEEDED',
      `${source.name} has ${table.shape[1]!} columns, the limit is ${limits.maxColumns}; save features and labels as arrays of an .npz file`,
    )
  const label = labelIndex(source, table, options.labelColumn)
  const rows = isRowMajor(table) ? table : rowMajorTable(table, limits)
  const columns = [
    { array: columnsOf(rows, 'x', (index) => index !== label, [table.shape[1]! - 1]), role: 'FEATURE' },
    { array: columnsOf(rows, 'y', (index) => index === label, []), role: 'LABEL' },
  ] as const
  return arrayDataset(source, 'npy', columns, limits)
}

function labelIndex(source: ByteSource, table: StoredArray, labelColumn: string | undefined): number {
  const width = table.shape[1]
  if (table.shape.length !== 2 || width! < 2 || table.element.kind === 'TEXT' || labelColumn === undefined)
    throw new AppError(
      'BAD_INPUT',
      `${source.name} holds one array, ${describeArray(table)}, and no labels: save both with np.savez('test.npz', x=x, y=y); ` +
        'or, if the label is a column of a two-dimensional array of numbers, give its index as labelColumn (-1 is the last)',
    )
  const index = /^-?\d{1,9}$/.test(labelColumn) ? Number(labelColumn) : NaN
  const fromStart = index < 0 ? width! + index : index
  if (fromStart >= 0 && fromStart < width!) return fromStart
  throw new AppError(
    'BAD_INPUT',
    `${source.name}: labelColumn ${quoted(labelColumn)} is no column of ${describeArray(table)}; give an index from ${-width!} to ${width! - 1}`,
  )
}

const rowMajorTable = (table: StoredArray, limits: DatasetLimits): StoredArray => ({
  ...table,
  fortranOrder: false,
  pieces: () => rowMajorPieces(table, limits),
})

/** Some columns of a row-major table. */
function columnsOf(
  table: StoredArray,
  name: string,
  wanted: (index: number) => boolean,
  sampleShape: readonly number[],
): StoredArray {
  const [rows, width] = table.shape as readonly [number, number]
  const { size } = table.element
  const places = Array.from({ length: width }, (_, index) => index).filter(wanted)
  return {
    name,
    element: table.element,
    shape: [rows, ...sampleShape],
    fortranOrder: false,
    byteLength: rows * places.length * size,
    async *pieces() {
      for await (const piece of wholeElements(table.pieces(), width * size)) {
        const count = piece.length / (width * size)
        const out = new Uint8Array(count * places.length * size)
        let at = 0
        for (let row = 0; row < count; row++)
          for (const place of places) {
            const from = (row * width + place) * size
            for (let i = 0; i < size; i++) out[at++] = piece[from + i]!
          }
        yield out
      }
    },
    read: null,
  }
}
