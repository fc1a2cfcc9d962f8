import { itemSize, type DType, type Shape } from '../tensor/index.ts'
import type { ByteSource } from './byte-source.ts'
import { refusals, type ContainerOptions, type Refusals } from './container-options.ts'
import { quoted } from './quote.ts'
import { countMembers, scanJson } from './json-shape.ts'

/** Limits of a safetensors file. */
export interface SafetensorsLimits {
  /** Bytes of the JSON header. The format itself allows 100,000,000. */
  readonly maxHeaderBytes: number
  readonly maxTensors: number
  readonly maxRank: number
}

/** 32 MiB of header describe about 250,000 tensors. */
export const DEFAULT_SAFETENSORS_LIMITS: SafetensorsLimits = {
  maxHeaderBytes: 32 * 2 ** 20,
  maxTensors: 500_000,
  maxRank: 64,
}

/** One tensor: dense, row-major, little-endian. */
export interface SafetensorsTensor {
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
  /** Absolute byte of its data in the file. */
  readonly offset: number
  readonly byteLength: number
  /**
   * The name of a dtype that has no torch dtype of whole bytes: F4, F6_E2M3, F6_E3M2. `dtype` and `shape` are then those of its
   * bytes, and these the sizes that the file declares.
   */
  readonly packed?: { readonly dtype: string; readonly shape: Shape }
}

/** The header of a safetensors file. */
export interface SafetensorsHeader {
  /** In the order of their data. */
  readonly tensors: readonly SafetensorsTensor[]
  /** `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>
}

/** The reference implementation's names (safetensors 0.8, `Dtype`) and torch's. */
const DTYPES: ReadonlyMap<string, DType> = new Map<string, DType>([
  ['BOOL', 'bool'],
  ['U8', 'uint8'],
  ['I8', 'int8'],
  ['U16', 'uint16'],
  ['I16', 'int16'],
  ['U32', 'uint32'],
  ['I32', 'int32'],
  ['U64', 'uint64'],
  ['I64', 'int64'],
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
  ['F32', 'float32'],
  ['F64', 'float64'],
  ['C64', 'complex64'],
  ['F8_E4M3', 'float8_e4m3fn'],
  ['F8_E4M3FNUZ', 'float8_e4m3fnuz'],
  ['F8_E5M2', 'float8_e5m2'],
  ['F8_E5M2FNUZ', 'float8_e5m2fnuz'],
  ['F8_E8M0', 'float8_e8m0fnu'],
])
/** Bits of an element of less than a byte. */
const SUB_BYTE_DTYPES = new Map([
  ['F4', 4],
  ['F6_E2M3', 6],
  ['F6_E3M2', 6],
])
const FORMAT_MAX_HEADER = 100_000_000

/**
 * Reads and validates the header of a safetensors file by the rules of the reference implementation: data begins at 0,
 * each tensor begins where the last one ended, the last ends with the file, and each length follows from dtype and shape.
 * Stricter than it in one point: a repeated key is refused, because readers disagree on which one counts.
 * @throws AppError `corrupt`, `unsupported` or LIMIT_EXCEEDED.
 */
export async function readSafetensorsHeader(
  source: ByteSource,
  options: ContainerOptions<SafetensorsLimits>,
): Promise<SafetensorsHeader> {
  const refuse = refusals(source, options)
  const limits = options.limits ?? DEFAULT_SAFETENSORS_LIMITS
  if (source.size < 8) throw refuse.corrupt(`it has ${source.size} bytes, and a safetensors file has 8 or more`)
  const lengthBytes = await source.read(0, 8)
  const length = Number(new DataView(lengthBytes.buffer, lengthBytes.byteOffset, 8).getBigUint64(0, true))
  if (length > FORMAT_MAX_HEADER)
    throw refuse.corrupt(`the header length is ${length}, safetensors allows ${FORMAT_MAX_HEADER}`)
  if (length > limits.maxHeaderBytes)
    throw refuse.limit(`the safetensors header has ${length} bytes, the limit is ${limits.maxHeaderBytes}`)
  if (8 + length > source.size)
    throw refuse.corrupt(
      `the header should have ${length} bytes, but the file ends after ${source.size - 8}: it was cut`,
    )
  const header = parseHeader(await source.read(8, length), limits, refuse)
  const tensors: SafetensorsTensor[] = []
  let metadata: ReadonlyMap<string, string> = new Map()
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') metadata = parseMetadata(value, refuse)
    else tensors.push(parseTensor(name, value, 8 + length, limits, refuse))
  }
  // Empty tensors share their offset with the next one; they come first.
  tensors.sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength)
  checkCoverage(tensors, 8 + length, source.size, refuse)
  return { tensors, metadata }
}

function parseHeader(bytes: Uint8Array, limits: SafetensorsLimits, refuse: Refusals): Record<string, unknown> {
  const { members, values } = scanJson(bytes)
  // A tensor has 4 members and 2 short arrays.
  if (members > limits.maxTensors * 8 || values > limits.maxTensors * 16)
    throw refuse.limit(`the safetensors header describes more than ${limits.maxTensors} tensors`)
  const header = parseJson(bytes, refuse)
  if (!isRecord(header)) throw refuse.corrupt('the safetensors header is no JSON object')
  if (Object.keys(header).length - (Object.hasOwn(header, '__metadata__') ? 1 : 0) > limits.maxTensors)
    throw refuse.limit(`the safetensors header describes more than ${limits.maxTensors} tensors`)
  if (countMembers(header) !== members) throw refuse.corrupt('a key is repeated in the safetensors header')
  return header
}

function parseJson(bytes: Uint8Array, refuse: Refusals): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch (cause) {
    throw refuse.corrupt(`the safetensors header is no UTF-8 JSON text`, cause)
  }
}

function parseMetadata(value: unknown, refuse: Refusals): ReadonlyMap<string, string> {
  if (value === null) return new Map()
  if (!isRecord(value) || !Object.values(value).every((text) => typeof text === 'string'))
    throw refuse.corrupt('__metadata__ of the safetensors header is no map of strings')
  return new Map(Object.entries(value as Record<string, string>))
}

function parseTensor(
  name: string,
  value: unknown,
  dataStart: number,
  limits: SafetensorsLimits,
  refuse: Refusals,
): SafetensorsTensor {
  if (/\p{Surrogate}/u.test(name)) throw refuse.corrupt('a tensor has a name that is no Unicode text')
  const where = `tensor ${quoted(name)} of the safetensors header`
  if (!isRecord(value)) throw refuse.corrupt(`${where} is no JSON object`)
  const { dtype: dtypeName, shape, data_offsets: offsets } = value
  if (typeof dtypeName !== 'string') throw refuse.corrupt(`${where} has no dtype`)
  const dtype = DTYPES.get(dtypeName)
  const bits = dtype === undefined ? SUB_BYTE_DTYPES.get(dtypeName) : itemSize(dtype) * 8
  if (bits === undefined)
    throw refuse.corrupt(`${where} has dtype ${quoted(dtypeName)}, which safetensors does not know`)
  if (!isSizes(shape)) throw refuse.corrupt(`${where} has no shape of non-negative integers`)
  if (shape.length > limits.maxRank)
    throw refuse.limit(`${where} has ${shape.length} dimensions, the limit is ${limits.maxRank}`)
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!)
    throw refuse.corrupt(`${where} has no data_offsets [begin, end]`)
  const [begin, end] = offsets as readonly [number, number]
  let elements = 1
  for (const size of shape) {
    elements *= size
    if (!Number.isSafeInteger(elements * bits)) throw refuse.corrupt(`${where} has a shape of more than 2^53 bits`)
  }
  const byteLength = (elements * bits) / 8
  if (byteLength !== end - begin)
    throw refuse.corrupt(
      `${where}: ${dtypeName} [${shape.join(', ')}] needs ${byteLength} bytes, data_offsets span ${end - begin}`,
    )
  const place = { name, offset: dataStart + begin, byteLength }
  if (dtype !== undefined) return { ...place, dtype, shape }
  // As safetensors.torch does: pairs of F4 along the last axis are one element.
  const last = shape.at(-1)
  if (dtypeName === 'F4' && last !== undefined && last % 2 === 0)
    return { ...place, dtype: 'float4_e2m1fn_x2', shape: [...shape.slice(0, -1), last / 2] }
  return { ...place, dtype: 'uint8', shape: [byteLength], packed: { dtype: dtypeName, shape } }
}

function checkCoverage(
  tensors: readonly SafetensorsTensor[],
  dataStart: number,
  fileSize: number,
  refuse: Refusals,
): void {
  let end = dataStart
  for (const { name, offset, byteLength } of tensors) {
    if (offset !== end)
      throw refuse.corrupt(
        `tensor ${quoted(name)} begins at byte ${offset}, the data before it ends at ${end}: a hole or an overlap`,
      )
    end = offset + byteLength
  }
  if (end > fileSize) throw refuse.corrupt(`the data ends at byte ${end}, the file at ${fileSize}: it was cut`)
  if (end < fileSize) throw refuse.corrupt(`${fileSize - end} bytes follow the data of the last tensor`)
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isSizes = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0 && !Object.is(size, -0))
