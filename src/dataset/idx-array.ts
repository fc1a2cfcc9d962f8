import { readPieces, type ByteSource } from '../container/index.ts'
import { AppError } from '../error.ts'
import { numel, type DType } from '../tensor/index.ts'
import type { DatasetLimits } from './dataset-limits.ts'
import type { StoredArray } from './stored-array.ts'

/** Types of elements, by the third byte (Y. LeCun, "The MNIST database"). Big-endian. */
const TYPES: Readonly<Record<number, readonly [dtype: DType, size: number]>> = {
  0x08: ['uint8', 1],
  0x09: ['int8', 1],
  0x0b: ['int16', 2],
  0x0c: ['int32', 4],
  0x0d: ['float32', 4],
  0x0e: ['float64', 8],
}

/** Whether bytes begin as those of an IDX file: two zeros, a type, and 1 to 32 dimensions. */
export const isIdx = (head: Uint8Array): boolean =>
  head.length >= 8 && head[0] === 0 && head[1] === 0 && head[2]! in TYPES && head[3]! >= 1 && head[3]! <= 32

/**
 * The array of an IDX file.
 * @throws AppError DATASET_CORRUPT, LIMIT_EXCEEDED.
 */
export async function idxArray(name: string, source: ByteSource, limits: DatasetLimits): Promise<StoredArray> {
  const start = await source.read(0, Math.min(4, source.size))
  const [rank, type] = [start[3] ?? 0, TYPES[start[2] ?? -1]]
  if (start[0] !== 0 || start[1] !== 0 || type === undefined || rank === 0)
    throw new AppError('DATASET_CORRUPT', `${source.name} does not begin as an IDX file`)
  if (rank > limits.maxRank)
    throw new AppError('LIMIT_EXCEEDED', `${source.name} has ${rank} dimensions, the limit is ${limits.maxRank}`)
  const begin = 4 + 4 * rank
  if (source.size < begin) throw new AppError('DATASET_CORRUPT', `${source.name} is cut off in its header`)
  const header = await source.read(4, 4 * rank)
  const view = new DataView(header.buffer, header.byteOffset)
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 * i))
  const [dtype, size] = type
  const byteLength = numel(shape) * size
  if (source.size !== begin + byteLength)
    throw new AppError(
      'DATASET_CORRUPT',
      `${source.name} says that it has the shape [${shape.join(', ')}], which takes ${begin + byteLength} bytes; it has ${source.size}`,
    )
  return {
    name,
    element: { kind: 'NUMBER', dtype, size, bigEndian: size > 1 },
    shape,
    fortranOrder: false,
    byteLength,
    pieces: () => readPieces(source, begin, byteLength),
    read: (offset, length) => source.read(begin + offset, length),
  }
}
