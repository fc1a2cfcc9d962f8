import {
  add,
  dimensionOf,
  divideDown,
  isBatchOnly,
  multiply,
  sameSize,
  shapeText,
  subtract,
  type Size,
} from '../size.ts'
import { axisOf } from './axes.ts'
import { FIXED_BATCH } from './broadcast.ts'
import { elementsOf, flatIndex, moved, smallShape } from './elements.ts'
import type { NodeContext, Operator, Value } from './operator.ts'

const slice: Operator = {
  name: 'Slice',
  inputs: [3, 5],
  outputs: [1, 1],
  infer: (node) => {
    const input = node.input(0)
    const [starts, ends] = [node.known(1)!, node.known(2)!]
    const axes = (node.known(3) ?? starts.map((_, i) => i)).map((axis) => axisOf(node, axis, input.shape.length))
    const steps = node.known(4) ?? starts.map(() => 1)
    if (ends.length !== starts.length || axes.length !== starts.length || steps.length !== starts.length)
      node.fail('starts, ends, axes and steps have to be of the same number')
    const from = input.shape.map(() => ({ start: 0, step: 1 }))
    const shape = [...input.shape]
    for (const [i, axis] of axes.entries()) {
      const step = steps[i]!
      if (typeof step !== 'number' || step === 0) return node.fail('steps have to be known and not 0')
      const range = sliceRange(node, shape[axis]!, starts[i]!, ends[i]!, step)
      shape[axis] = range.size
      from[axis] = { start: range.start, step }
    }
    return [
      moved(input, shape, (index) => index.map((position, axis) => from[axis]!.start + position * from[axis]!.step)),
    ]
  },
}

/** Source: the ONNX specification of Slice: negative ends count from the end, all are clamped. */
function sliceRange(node: NodeContext, size: Size, from: Size, to: Size, step: number): { size: Size; start: number } {
  if (typeof size === 'number' && typeof from === 'number' && typeof to === 'number') {
    const clamp = (at: number, low: number, high: number): number =>
      Math.min(Math.max(at < 0 ? at + size : at, low), high)
    const start = step > 0 ? clamp(from, 0, size) : clamp(from, 0, size - 1)
    const end = step > 0 ? clamp(to, 0, size) : clamp(to, -1, size - 1)
    return { size: Math.max(0, Math.ceil((end - start) / step)), start }
  }
  const begin = typeof from === 'number' && from < 0 ? add(size, from) : from
  const end = to === Infinity ? size : typeof to === 'number' && to < 0 ? add(size, to) : to
  if (from === 0 && step === 1 && sameSize(end, size)) return { size, start: 0 }
  if (isBatchOnly(size))
    node.fail(`takes a part of the batch (${dimensionOf(size)}); samples have to be independent. ${FIXED_BATCH}`)
  if (step !== 1) node.fail(`takes every ${step}th of an axis whose size ${dimensionOf(size)} is open`)
  return { size: subtract(end, begin), start: 0 }
}

const gather: Operator = {
  name: 'Gather',
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: { axis: 'int' },
  infer: (node) => {
    const [data, indices] = [node.input(0), node.input(1)]
    if (indices.dtype !== 'int64' && indices.dtype !== 'int32')
      node.fail(`looks up by ${indices.dtype}; int64 or int32 is expected`)
    const axis = axisOf(node, node.int('axis') ?? 0, data.shape.length)
    const size = data.shape[axis]!
    const known = indices.elements
    const rank = indices.shape.length
    const shape = [...data.shape.slice(0, axis), ...indices.shape, ...data.shape.slice(axis + 1)]
    if (isBatchOnly(size) && known)
      node.fail(`takes single samples of the batch (${dimensionOf(size)}). ${FIXED_BATCH}`)
    if (!known || typeof size !== 'number' || !known.every((at) => typeof at === 'number'))
      return [{ dtype: data.dtype, shape }]
    for (const at of known) if (at < -size || at >= size) node.fail(`looks up ${at} in an axis of size ${size}`)
    return [
      moved(data, shape, (index) => {
        const at = known[flatIndex(indices.shape as readonly number[], index.slice(axis, axis + rank))]!
        return [...index.slice(0, axis), at < 0 ? at + size : at, ...index.slice(axis + rank)]
      }),
    ]
  },
}

const gatherElements: Operator = {
  name: 'GatherElements',
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: { axis: 'int' },
  infer: (node) => [{ dtype: node.input(0).dtype, shape: node.input(1).shape }],
}

const gatherND: Operator = {
  name: 'GatherND',
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: { batch_dims: 'int' },
  infer: (node) => {
    const [data, indices] = [node.input(0), node.input(1)]
    const depth = indices.shape.at(-1)
    if (typeof depth !== 'number') return node.fail('the last size of its indices is open')
    const shape = [...indices.shape.slice(0, -1), ...data.shape.slice((node.int('batch_dims') ?? 0) + depth)]
    return [{ dtype: data.dtype, shape }]
  },
}

const scatter = (name: string, attributes: Operator['attributes']): Operator => ({
  name,
  inputs: [3, 3],
  outputs: [1, 1],
  attributes: { reduction: 'string', ...attributes },
  infer: (node) => [{ dtype: node.input(0).dtype, shape: node.input(0).shape }],
})

const pad: Operator = {
  name: 'Pad',
  inputs: [2, 4],
  outputs: [1, 1],
  attributes: { mode: 'string' },
  infer: (node) => {
    const { dtype, shape } = node.input(0)
    const pads = node.known(1)!
    const axes = (node.known(3) ?? shape.map((_, i) => i)).map((axis) => axisOf(node, axis, shape.length))
    if (pads.length !== 2 * axes.length) node.fail(`has ${pads.length} pads for ${axes.length} axes`)
    const sizes = [...shape]
    for (const [i, axis] of axes.entries()) sizes[axis] = [sizes[axis]!, pads[i]!, pads[i + axes.length]!].reduce(add)
    return [{ dtype, shape: sizes }]
  },
}

const trilu: Operator = {
  name: 'Trilu',
  since: 14,
  inputs: [1, 2],
  outputs: [1, 1],
  attributes: { upper: 'int' },
  infer: (node) => {
    const { dtype, shape, elements } = node.input(0)
    const k = node.known(1)?.[0] ?? 0
    const small = elements && smallShape(shape)
    if (!small || typeof k !== 'number') return [{ dtype, shape }]
    const upper = (node.int('upper') ?? 1) !== 0
    const kept = elementsOf(small, (index) => {
      const diagonal = index.at(-1)! - index.at(-2)!
      return (upper ? diagonal >= k : diagonal <= k) ? elements[flatIndex(small, index)]! : 0
    })
    return [{ dtype, shape, elements: kept }]
  },
}

const blocks = (name: string, toSpace: boolean): Operator => ({
  name,
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { blocksize: 'int', mode: 'string' },
  infer: (node): readonly Value[] => {
    const { dtype, shape } = node.input(0)
    const block = node.int('blocksize') ?? node.fail('has no blocksize')
    const [batch, channels, height, width] = shape
    if (shape.length !== 4) node.fail(`expects [batch, channels, height, width], found ${shapeText(shape)}`)
    const area = block * block
    return toSpace
      ? [{ dtype, shape: [batch!, divideDown(channels!, area), multiply(height!, block), multiply(width!, block)] }]
      : [{ dtype, shape: [batch!, multiply(channels!, area), divideDown(height!, block), divideDown(width!, block)] }]
  },
})

const oneHot: Operator = {
  name: 'OneHot',
  inputs: [3, 3],
  outputs: [1, 1],
  attributes: { axis: 'int' },
  infer: (node) => {
    const { shape } = node.input(0)
    const axis = axisOf(node, node.int('axis') ?? -1, shape.length + 1)
    const depth = node.known(1)![0] ?? node.fail('its depth is missing')
    return [{ dtype: node.input(2).dtype, shape: shape.toSpliced(axis, 0, depth) }]
  },
}

/** Operators that take parts of tensors by position. */
export const SELECTION: readonly Operator[] = [
  slice,
  gather,
  gatherElements,
  gatherND,
  scatter('ScatterElements', { axis: 'int' }),
  scatter('ScatterND', {}),
  pad,
  trilu,
  blocks('DepthToSpace', true),
  blocks('SpaceToDepth', false),
  oneHot,
]
