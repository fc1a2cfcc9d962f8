import {
  quoted,
  readPieces,
  readSafetensorsHeader,
  type ByteSource,
  type SafetensorsTensor,
} from '../container/index.ts'
import { AppError } from '../error.ts'
import { itemSize, type DType } from '../tensor/index.ts'
import { arrayDataset } from './array-dataset.ts'
import { rolesOf, type Candidate } from './array-roles.ts'
import type { DatasetFile } from './columns.ts'
import type { DatasetLimits } from './dataset-limits.ts'
import type { DatasetOptions } from './dataset-options.ts'

/** Real numbers that JavaScript has arrays for. */
const READABLE: ReadonlySet<DType> = new Set<DType>([
  'bool',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'uint32',
  'int32',
  'uint64',
  'int64',
  'float16',
  'bfloat16',
  'float32',
  'float64',
])

/** A safetensors file whose tensors are the columns. */
export async function openSafetensors(
  source: ByteSource,
  options: DatasetOptions,
  limits: DatasetLimits,
): Promise<DatasetFile> {
  const { tensors } = await readSafetensorsHeader(source, {
    corrupt: 'DATASET_CORRUPT',
    unsupported: 'DATASET_UNSUPPORTED',
    limits: limits.safetensors,
  })
  if (tensors.length === 0) throw new AppError('DATASET_CORRUPT', `${source.name} holds no tensors`)
  const candidates = tensors.map((tensor) => candidate(source, tensor))
  return arrayDataset(source, 'safetensors', rolesOf(source, candidates, options), limits)
}

function candidate(source: ByteSource, tensor: SafetensorsTensor): Candidate {
  const { name, dtype, shape, offset, byteLength, packed } = tensor
  if (packed !== undefined || !READABLE.has(dtype)) {
    const problem = `tensor ${quoted(name)} is of dtype ${packed?.dtype ?? dtype}; save it with tensor.to(torch.float32)`
    return { name, array: new AppError('DATASET_UNSUPPORTED', `${source.name}: ${problem}`) }
  }
  return {
    name,
    array: {
      name,
      element: { kind: 'NUMBER', dtype, size: itemSize(dtype), bigEndian: false },
      shape,
      fortranOrder: false,
      byteLength,
      pieces: () => readPieces(source, offset, byteLength),
      read: (at, length) => source.read(offset + at, length),
    },
  }
}
