import { AppError } from '../../error.ts'
import type { Constant, Dimension, GraphNode, GraphValue } from '../graph.ts'
import { bytesOf } from '../operators/constant-elements.ts'
import { isOperator, refuseUnknownOperators } from '../operators/unknown-operators.ts'
import { REWRITTEN_OPERATORS } from '../simplify/index.ts'
import { BATCH } from '../size.ts'
import { readNode, readValue } from './graph-proto.ts'
import {
  AttributeProto_AttributeType as Type,
  type AttributeProto,
  type GraphProto,
  type NodeProto,
} from './onnx_pb.ts'
import { readTensor } from './tensor-proto.ts'

/**
 * Refuses unknown operators before anything else is read of a node.
 * @throws AppError ARCHITECTURE_UNSUPPORTED_OPERATOR
 */
export function checkOperators(nodes: readonly NodeProto[]): void {
  const named = nodes.map(({ opType, domain, name, output }) => ({
    op: opType,
    domain: domain === 'ai.onnx' ? '' : domain,
    node: name || (output[0] ?? '(unnamed)'),
  }))
  refuseUnknownOperators(named, (op) => isOperator(op) || REWRITTEN_OPERATORS.has(op) || op === 'Constant')
}

/** The inputs that a user gives: those that are no initializers. The first dimension is the batch, whatever its name was. */
export function readInputs(graph: GraphProto): readonly GraphValue[] {
  const initializers = new Set(graph.initializer.map(({ name }) => name))
  const inputs = graph.input.filter(({ name }) => !initializers.has(name)).map(readValue)
  for (const { name, shape } of inputs)
    if (shape.length === 0)
      throw new AppError(
        'ARCHITECTURE_INVALID',
        `input ${name} has shape []; its first dimension has to be the batch: export the model with a batch as sample input`,
      )
  const batchNames = new Set(inputs.map(({ shape }) => shape[0]))
  const rename = (size: Dimension, axis: number, name: string): Dimension => {
    if (axis === 0 || (typeof size === 'string' && batchNames.has(size))) return BATCH
    if (typeof size === 'number' && size < 1)
      throw new AppError('ARCHITECTURE_INVALID', `input ${name}: size ${size} of dimension ${axis} is impossible`)
    return size === BATCH ? `${name}_dim_${axis}` : size
  }
  return inputs.map(({ name, dtype, shape }) => ({
    name,
    dtype,
    shape: shape.map((size, axis) => rename(size, axis, name)),
  }))
}

/** Nodes, with Constant nodes as constants. */
export function readNodes(protos: readonly NodeProto[]): {
  readonly nodes: readonly GraphNode[]
  readonly constants: readonly Constant[]
} {
  const isConstant = ({ opType }: NodeProto): boolean => opType === 'Constant'
  return {
    nodes: protos.filter((proto) => !isConstant(proto)).map(readNode),
    constants: protos.filter(isConstant).map(readConstant),
  }
}

function readConstant({ name, output, attribute }: NodeProto): Constant {
  const label = `node ${name || output[0] || '(unnamed)'} (Constant)`
  const [value] = attribute
  const constant = value && CONSTANT_READERS[value.type]?.(value, output[0] ?? '', label)
  if (!constant || attribute.length !== 1 || output.length !== 1)
    throw new AppError('ARCHITECTURE_INVALID', `${label}: holds no tensor of numbers`)
  return constant
}

const CONSTANT_READERS: Partial<
  Record<Type, (value: AttributeProto, name: string, label: string) => Constant | undefined>
> = {
  [Type.TENSOR]: ({ t }, name, label) => t && readTensor(t, name, label),
  [Type.FLOAT]: ({ f }, name) => floats(name, [], [f]),
  [Type.FLOATS]: ({ floats: values }, name) => floats(name, [values.length], values),
  [Type.INT]: ({ i }, name) => integers(name, [], [i]),
  [Type.INTS]: ({ ints }, name) => integers(name, [ints.length], ints),
}

const floats = (name: string, shape: readonly number[], values: readonly number[]): Constant => ({
  name,
  dtype: 'float32',
  shape,
  bytes: bytesOf('float32', values),
})

const integers = (name: string, shape: readonly number[], values: readonly bigint[]): Constant => ({
  name,
  dtype: 'int64',
  shape,
  bytes: new Uint8Array(BigInt64Array.from(values).buffer),
})
