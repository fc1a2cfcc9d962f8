import type { DType } from '../../tensor/index.ts'
import { dtypeOfOnnx } from '../onnx/dtype.ts'
import { isFloat, isFollowed, rounded } from './elements.ts'
import type { NodeContext, Operator, Value } from './operator.ts'

function cast(input: Value, dtype: DType): readonly Value[] {
  const { shape, elements } = input
  if (dtype === input.dtype) return [input]
  if (!elements || !isFollowed(dtype)) return [{ dtype, shape }]
  const converted = elements.map((element) => {
    // A size stays a size among whole numbers only.
    if (typeof element !== 'number') return isFloat(dtype) || dtype === 'bool' ? null : element
    return Number.isFinite(element) ? rounded(dtype, element) : null
  })
  return [{ dtype, shape, elements: converted }]
}

function target(node: NodeContext): DType {
  const to = node.int('to')
  const dtype = to === undefined ? undefined : dtypeOfOnnx(to)
  return dtype ?? node.fail(`converts to the ONNX data type ${to ?? '(none)'}, which is not supported`)
}

/** Changes of dtype. */
export const CASTS: readonly Operator[] = [
  {
    name: 'Cast',
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: { to: 'int', saturate: 'int', round_mode: 'string' },
    infer: (node) => cast(node.input(0), target(node)),
  },
  {
    name: 'CastLike',
    since: 15,
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: { saturate: 'int', round_mode: 'string' },
    infer: (node) => cast(node.input(0), node.input(1).dtype),
  },
]
