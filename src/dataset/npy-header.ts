import { quoted } from '../container/index.ts'
import { AppError } from '../error.ts'
import { numel, type Shape } from '../tensor/index.ts'
import type { DatasetLimits } from './dataset-limits.ts'
import { elementType, type ElementType } from './npy-dtype.ts'
import { parseLiteral, type Literal } from './python-literal.ts'

/** The header of an npy array. */
export interface NpyHeader {
  readonly element: ElementType
  readonly shape: Shape
  readonly fortranOrder: boolean
  /** Bytes of the data. */
  readonly dataLength: number
}

/** Bytes that say how long the header is. */
export const NPY_PREFIX_BYTES = 12

/**
 * Where the header text begins and ends, by the first `NPY_PREFIX_BYTES` bytes (fewer if there are no more).
 * Format: numpy.lib.format, versions 1.0 (2-byte length), 2.0 and 3.0 (4-byte length).
 * @throws AppError DATASET_CORRUPT, DATASET_UNSUPPORTED, LIMIT_EXCEEDED.
 */
export function npyHeaderRange(
  where: string,
  prefix: Uint8Array,
  limits: DatasetLimits,
): { readonly start: number; readonly end: number; readonly encoding: 'latin1' | 'utf-8' } {
  const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength)
  if (prefix.length < 10 || view.getUint32(0) !== 0x934e554d || view.getUint16(4) !== 0x5059)
    throw new AppError('DATASET_CORRUPT', `${where} does not begin as a numpy array (\\x93NUMPY)`)
  const major = prefix[6]!
  if (major < 1 || major > 3)
    throw new AppError('DATASET_UNSUPPORTED', `${where} has version ${major} of the npy format; 1, 2 and 3 are read`)
  const start = major === 1 ? 10 : 12
  if (prefix.length < start) throw new AppError('DATASET_CORRUPT', `${where} ends within its header: it was cut`)
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  if (length > limits.maxHeaderBytes)
    throw new AppError(
      'LIMIT_EXCEEDED',
      `${where} has a header of ${length} bytes, the limit is ${limits.maxHeaderBytes}`,
    )
  return { start, end: start + length, encoding: major === 3 ? 'utf-8' : 'latin1' }
}

/**
 * Reads the header's text, a Python dict of descr, fortran_order and shape.
 * @throws AppError DATASET_CORRUPT, DATASET_UNSUPPORTED, LIMIT_EXCEEDED.
 */
export function parseNpyHeader(where: string, text: string, limits: DatasetLimits): NpyHeader {
  const header = parseLiteral(text)
  if (!isDict(header) || !('descr' in header && 'fortran_order' in header && 'shape' in header))
    throw new AppError(
      'DATASET_CORRUPT',
      `${where} has no header of descr, fortran_order and shape: ${quoted(text.trim())}`,
    )
  const { descr, fortran_order: fortranOrder, shape } = header
  if (typeof fortranOrder !== 'boolean' || !isShape(shape))
    throw new AppError('DATASET_CORRUPT', `${where} has a shape or an order that is none: ${quoted(text.trim())}`)
  if (shape.length > limits.maxRank)
    throw new AppError('LIMIT_EXCEEDED', `${where} has ${shape.length} dimensions, the limit is ${limits.maxRank}`)
  const element = elementType(descr)
  if ('refused' in element) throw new AppError('DATASET_UNSUPPORTED', `${where} holds ${element.refused}`)
  const dataLength = numel([...shape, element.size])
  return { element, shape, fortranOrder, dataLength }
}

const isDict = (value: Literal | undefined): value is { readonly [key: string]: Literal } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isShape = (value: Literal | undefined): value is readonly number[] =>
  Array.isArray(value) && value.every((size) => typeof size === 'number' && Number.isSafeInteger(size) && size >= 0)
