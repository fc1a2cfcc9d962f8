import { AppError } from '../error.ts'
import { numel } from '../tensor/index.ts'
import type { DatasetLimits } from './dataset-limits.ts'
import { showName } from './show-name.ts'
import { describeArray, type StoredArray } from './stored-array.ts'

/** Whether the bytes of an array already are row-major: in C order, or when no second dimension counts. */
export function isRowMajor({ fortranOrder, shape }: StoredArray): boolean {
  return !fortranOrder || shape.filter((size) => size !== 1).length <= 1
}

/**
 * The data of a Fortran-ordered array, row-major. A range of rows is put together at a time from one read for each
 * column; a compressed array has to be inflated into memory for that.
 * @throws AppError LIMIT_EXCEEDED.
 */
export async function* rowMajorPieces(array: StoredArray, limits: DatasetLimits): AsyncGenerator<Uint8Array> {
  const read = array.read ?? (await inflated(array, limits))
  const [rows, ...rest] = array.shape as readonly [number, ...number[]]
  const itemBytes = array.element.size
  const rowBytes = numel(rest) * itemBytes
  if (rowBytes > limits.maxTransposeBytes) throw tooLarge(array, `${rowBytes} bytes a sample`, limits)
  const places = rowMajorPlaces(rest)
  const rowsAtOnce = Math.max(1, Math.floor(limits.transposeChunkBytes / rowBytes))
  for (let first = 0; first < rows; first += rowsAtOnce) {
    const count = Math.min(rowsAtOnce, rows - first)
    const out = new Uint8Array(count * rowBytes)
    for (let column = 0; column < places.length; column++) {
      const bytes = await read((column * rows + first) * itemBytes, count * itemBytes)
      scatter(bytes, out, places[column]! * itemBytes, rowBytes, itemBytes)
    }
    yield out
  }
}

/** For each element of a sample in Fortran order, its place in row-major order. */
function rowMajorPlaces(shape: readonly number[]): Uint32Array {
  const places = new Uint32Array(numel(shape))
  const index = shape.map(() => 0)
  for (let i = 0; i < places.length; i++) {
    places[i] = index.reduce((place, at, axis) => place * shape[axis]! + at, 0)
    // The first index runs fastest.
    for (let axis = 0; axis < index.length && ++index[axis]! === shape[axis]!; axis++) index[axis] = 0
  }
  return places
}

function scatter(from: Uint8Array, to: Uint8Array, start: number, stride: number, itemBytes: number): void {
  for (let at = 0, out = start; at < from.length; at += itemBytes, out += stride)
    for (let i = 0; i < itemBytes; i++) to[out + i] = from[at + i]!
}

async function inflated(array: StoredArray, limits: DatasetLimits): Promise<NonNullable<StoredArray['read']>> {
  if (array.byteLength > limits.maxTransposeBytes)
    throw tooLarge(array, `compressed, and has ${array.byteLength} bytes`, limits)
  const bytes = new Uint8Array(array.byteLength)
  let at = 0
  for await (const piece of array.pieces()) {
    bytes.set(piece, at)
    at += piece.length
  }
  return (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length))
}

const tooLarge = (array: StoredArray, why: string, limits: DatasetLimits): AppError =>
  new AppError(
    'LIMIT_EXCEEDED',
    `array ${describeArray(array)} is in Fortran order, ${why}; more than ${limits.maxTransposeBytes} are not turned in memory: ` +
      `save np.ascontiguousarray(${showName(array.name)}), or use np.savez instead of np.savez_compressed`,
  )
