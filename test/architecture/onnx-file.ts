import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf'
import {
  AttributeProto_AttributeType as AttributeType,
  ModelProtoSchema,
  TensorProto_DataType as DataType,
  type TensorProto_DataLocation,
} from '../../src/architecture/onnx/onnx_pb.ts'
import { numel } from '../../src/tensor/index.ts'

/** Parts of an ONNX file as tests write them; what is left out is empty. */
export interface TensorInit {
  readonly name?: string
  readonly dims: readonly bigint[]
  readonly dataType: DataType
  readonly rawData?: Uint8Array
  readonly int64Data?: readonly bigint[]
  readonly int32Data?: readonly number[]
  readonly dataLocation?: TensorProto_DataLocation
  readonly externalData?: readonly { readonly key: string; readonly value: string }[]
}
export interface AttributeInit {
  readonly name: string
  readonly type: AttributeType
  readonly i?: bigint
  readonly f?: number
  readonly s?: Uint8Array
  readonly ints?: readonly bigint[]
  readonly t?: TensorInit
}
export interface NodeInit {
  readonly opType: string
  readonly input: readonly string[]
  readonly output: readonly string[]
  readonly name: string
  readonly domain?: string
  readonly attribute?: readonly AttributeInit[]
  readonly metadataProps?: readonly { readonly key: string; readonly value: string }[]
}
export interface GraphInit {
  readonly node?: readonly NodeInit[]
  readonly initializer?: readonly TensorInit[]
  readonly input?: readonly object[]
  readonly output?: readonly object[]
  readonly metadataProps?: readonly { readonly key: string; readonly value: string }[]
}
type ModelInit = Exclude<MessageInitShape<typeof ModelProtoSchema>, { $typeName: unknown }>

/** A node, called after its operator. */
export const node = (
  opType: string,
  input: readonly string[],
  output: readonly string[],
  more: Partial<NodeInit> = {},
): NodeInit => ({ opType, input, output, name: `${opType}_node`, ...more })

/** Attributes. */
export const int = (name: string, value: number | bigint): AttributeInit => ({
  name,
  type: AttributeType.INT,
  i: BigInt(value),
})
export const ints = (name: string, ...values: readonly number[]): AttributeInit => ({
  name,
  type: AttributeType.INTS,
  ints: values.map(BigInt),
})
export const float = (name: string, value: number): AttributeInit => ({ name, type: AttributeType.FLOAT, f: value })
export const text = (name: string, value: string): AttributeInit => ({
  name,
  type: AttributeType.STRING,
  s: new TextEncoder().encode(value),
})
export const graphAttribute = (name: string): AttributeInit => ({ name, type: AttributeType.GRAPH })

/** A float tensor of zeros. */
export const weight = (name: string, ...shape: readonly number[]): TensorInit => ({
  name,
  dims: shape.map(BigInt),
  dataType: DataType.FLOAT,
  rawData: new Uint8Array(numel(shape) * 4),
})

/** Whole numbers of one dimension. */
export const integers = (name: string, ...values: readonly number[]): TensorInit => ({
  name,
  dims: [BigInt(values.length)],
  dataType: DataType.INT64,
  int64Data: values.map(BigInt),
})

/** One truth value. */
export const truth = (name: string): TensorInit => ({ name, dims: [], dataType: DataType.BOOL, int32Data: [1] })

/** An input or output of floats: numbers, or names for open sizes. */
export const value = (name: string, ...shape: readonly (number | string)[]): object => ({
  name,
  type: {
    value: {
      case: 'tensorType',
      value: {
        elemType: DataType.FLOAT,
        shape: {
          dim: shape.map((size) => ({
            value:
              typeof size === 'number' ? { case: 'dimValue', value: BigInt(size) } : { case: 'dimParam', value: size },
          })),
        },
      },
    },
  },
})

/** The bytes of an ONNX file with that graph. */
export function onnxFile(graph: GraphInit, more: ModelInit = {}): Uint8Array {
  const model = {
    irVersion: 8n,
    producerName: 'test',
    opsetImport: [{ domain: '', version: 17n }],
    graph: { name: 'main', ...graph },
    ...more,
  } as MessageInitShape<typeof ModelProtoSchema>
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, model))
}

/** A node that multiplies by the transposed weight. */
export const gemm = (
  x: string,
  w = 'fc.weight',
  y = 'y',
  attribute: readonly AttributeInit[] = [int('transB', 1)],
): NodeInit => node('Gemm', [x, w], [y], { attribute })

/** A graph that multiplies x [N, 4] by fc.weight [3, 4]. */
export const LINEAR_GRAPH: GraphInit = {
  node: [gemm('x')],
  initializer: [weight('fc.weight', 3, 4)],
  input: [value('x', 'batch', 4)],
  output: [value('y', 'batch', 3)],
}
