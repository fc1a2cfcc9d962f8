import { create } from '@bufbuild/protobuf'
import { AppError } from '../../error.ts'
import type { AttributeValue } from '../graph.ts'
import { AttributeProto_AttributeType as Type, AttributeProtoSchema, type AttributeProto } from './onnx_pb.ts'
import { readTensor, writeTensor } from './tensor-proto.ts'

const TEXT = new TextDecoder()
const BYTES = new TextEncoder()

/** @throws AppError ARCHITECTURE_INVALID for a kind that no supported operator has; `label` names the node. */
export function readAttribute(attribute: AttributeProto, label: string): AttributeValue {
  const where = `${label}: attribute ${attribute.name}`
  if (attribute.refAttrName !== '') throw invalid(`${where}: refers to an attribute outside of a function`)
  const read = READERS[attribute.type]
  if (!read) throw invalid(`${where}: its kind, number ${attribute.type} of ONNX, is not supported`)
  return read(attribute, where)
}
const READERS: Partial<Record<Type, (attribute: AttributeProto, where: string) => AttributeValue>> = {
  [Type.FLOAT]: ({ f }) => ({ kind: 'float', value: f }),
  [Type.INT]: ({ i }, where) => ({ kind: 'int', value: whole(i, where) }),
  [Type.STRING]: ({ s }) => ({ kind: 'string', value: TEXT.decode(s) }),
  [Type.FLOATS]: ({ floats }) => ({ kind: 'floats', value: [...floats] }),
  [Type.INTS]: ({ ints }, where) => ({ kind: 'ints', value: ints.map((value) => whole(value, where)) }),
  [Type.STRINGS]: ({ strings }) => ({ kind: 'strings', value: strings.map((bytes) => TEXT.decode(bytes)) }),
  [Type.TENSOR]: ({ t }, where) => {
    if (!t) throw invalid(`${where}: holds no tensor`)
    return { kind: 'tensor', value: readTensor(t, t.name, where) }
  },
}

function whole(value: bigint, where: string): number {
  if (!Number.isSafeInteger(Number(value))) throw invalid(`${where}: ${value} is too large`)
  return Number(value)
}

/** An attribute as ONNX writes it. */
export function writeAttribute(name: string, attribute: AttributeValue): AttributeProto {
  switch (attribute.kind) {
    case 'float':
      return create(AttributeProtoSchema, { name, type: Type.FLOAT, f: attribute.value })
    case 'int':
      return create(AttributeProtoSchema, { name, type: Type.INT, i: BigInt(attribute.value) })
    case 'string':
      return create(AttributeProtoSchema, { name, type: Type.STRING, s: BYTES.encode(attribute.value) })
    case 'floats':
      return create(AttributeProtoSchema, { name, type: Type.FLOATS, floats: [...attribute.value] })
    case 'ints':
      return create(AttributeProtoSchema, { name, type: Type.INTS, ints: attribute.value.map(BigInt) })
    case 'strings':
      return create(AttributeProtoSchema, {
        name,
        type: Type.STRINGS,
        strings: attribute.value.map((text) => BYTES.encode(text)),
      })
    case 'tensor':
      return create(AttributeProtoSchema, { name, type: Type.TENSOR, t: writeTensor(attribute.value) })
  }
}

const invalid = (message: string): AppError => new AppError('ARCHITECTURE_INVALID', message)
