import { ScalarType, type DescField, type DescMessage } from '@bufbuild/protobuf'
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { AppError } from '../../error.ts'
import type { ArchitectureLimits } from '../limits.ts'

/** Messages inside messages. Models have about ten. */
const MAX_DEPTH = 64

interface Counts {
  messages: number
  numbers: number
}

/**
 * Walks over an encoded message without building it, so that a small file that would decode into very many objects is
 * refused before any is made.
 * @throws AppError LIMIT_EXCEEDED; Error where the encoding is broken.
 */
export function countMessages(schema: DescMessage, bytes: Uint8Array, limits: ArchitectureLimits): void {
  count(schema, new BinaryReader(bytes), bytes.byteLength, { messages: 0, numbers: 0 }, limits, 0)
}

function count(
  schema: DescMessage,
  reader: BinaryReader,
  end: number,
  counts: Counts,
  limits: ArchitectureLimits,
  depth: number,
): void {
  if (depth > MAX_DEPTH)
    throw new AppError('LIMIT_EXCEEDED', `the ONNX file is nested more than ${MAX_DEPTH} levels deep`)
  const fields = fieldsOf(schema)
  while (reader.pos < end) {
    const [number, wire] = reader.tag()
    const field = fields.get(number)
    const message = field && messageOf(field)
    if (wire !== WireType.LengthDelimited) {
      if (field?.fieldKind === 'list') counts.numbers++
      reader.skip(wire)
    } else {
      const length = reader.uint32()
      const until = reader.pos + length
      if (until > end) throw new RangeError('premature end')
      if (message) count(message, reader, until, counts, limits, depth + 1)
      else if (field && isPacked(field)) counts.numbers += length / packedBytes(field)
      reader.pos = until
      counts.messages++
    }
    if (counts.messages > limits.messages)
      throw new AppError('LIMIT_EXCEEDED', `the ONNX file has more than ${limits.messages} parts`)
    if (counts.numbers > limits.listedNumbers)
      throw new AppError(
        'LIMIT_EXCEEDED',
        `the ONNX file lists more than ${limits.listedNumbers} numbers one by one; store tensors as raw_data, ` +
          'as torch.onnx.export and onnx.numpy_helper.from_array do',
      )
  }
  if (reader.pos !== end) throw new RangeError('premature end')
}

const known = new WeakMap<DescMessage, ReadonlyMap<number, DescField>>()

function fieldsOf(schema: DescMessage): ReadonlyMap<number, DescField> {
  const fields = known.get(schema) ?? new Map(schema.fields.map((field) => [field.number, field]))
  known.set(schema, fields)
  return fields
}

const messageOf = (field: DescField): DescMessage | undefined =>
  field.fieldKind === 'message' || (field.fieldKind === 'list' && field.listKind === 'message')
    ? field.message
    : undefined

const isPacked = (field: DescField): boolean =>
  field.fieldKind === 'list' &&
  (field.listKind === 'enum' ||
    (field.listKind === 'scalar' && field.scalar !== ScalarType.STRING && field.scalar !== ScalarType.BYTES))

/** Fewest bytes of one number: all but these are written in as few as they need. */
const packedBytes = (field: DescField): number => FIXED_BYTES.get(field.scalar) ?? 1
const FIXED_BYTES = new Map<ScalarType | undefined, number>([
  [ScalarType.FLOAT, 4],
  [ScalarType.DOUBLE, 8],
])
