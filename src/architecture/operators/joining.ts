import { add, divideDown, isBatchOnly, sameSize, shapeText, type Size } from '../size.ts'
import { axisOf } from './axes.ts'
import { FIXED_BATCH, sameDType } from './broadcast.ts'
import { elementsOf, flatIndex, moved, smallShape } from './elements.ts'
import { ANY, type NodeContext, type Operator } from './operator.ts'

const concat: Operator = {
  name: 'Concat',
  inputs: [1, ANY],
  outputs: [1, 1],
  attributes: { axis: 'int' },
  infer: (node) => {
    const inputs = node.inputs.map((_, index) => node.input(index))
    const dtype = sameDType(node, inputs)
    const first = inputs[0]!.shape
    const axis = axisOf(node, node.int('axis') ?? node.fail('has no axis'), first.length)
    for (const { shape } of inputs)
      if (shape.length !== first.length || shape.some((size, i) => i !== axis && clashes(size, first[i]!)))
        node.fail(
          `joins ${shapeText(first)} and ${shapeText(shape)} along axis ${axis}, but other sizes differ too. ${FIXED_BATCH}`,
        )
    const shape = first.map((size, i) => (i === axis ? inputs.map((input) => input.shape[axis]!).reduce(add) : size))
    const small = smallShape(shape)
    if (!small || !inputs.every((input) => input.elements)) return [{ dtype, shape }]
    const elements = elementsOf(small, (index) => {
      let position = index[axis]!
      const input = inputs.find(({ shape: sizes }) => {
        if (position < (sizes[axis] as number)) return true
        position -= sizes[axis] as number
        return false
      })!
      return input.elements![flatIndex(input.shape as readonly number[], index.with(axis, position))] ?? null
    })
    return [{ dtype, shape, elements }]
  },
}

// Open sizes that are written differently may be equal when the graph runs; the batch and numbers are not.
const clashes = (a: Size, b: Size): boolean =>
  !sameSize(a, b) && [a, b].every((size) => typeof size === 'number' || isBatchOnly(size))

const split: Operator = {
  name: 'Split',
  inputs: [1, 2],
  outputs: [1, ANY],
  attributes: { axis: 'int', num_outputs: 'int' },
  infer: (node) => {
    const input = node.input(0)
    const axis = axisOf(node, node.int('axis') ?? 0, input.shape.length)
    const sizes = node.known(1) ?? equalParts(node, input.shape[axis]!)
    if (sizes.length !== node.outputCount)
      node.fail(`splits into ${sizes.length} parts for ${node.outputCount} outputs`)
    if (clashes(sizes.reduce(add, 0), input.shape[axis]!))
      node.fail(`splits axis ${axis} of ${shapeText(input.shape)} into ${shapeText(sizes)}`)
    let start: Size = 0
    return sizes.map((size) => {
      const offset = start
      start = add(start, size)
      const shape = input.shape.with(axis, size)
      return moved(input, shape, (index) => index.with(axis, index[axis]! + (offset as number)))
    })
  },
}

function equalParts(node: NodeContext, size: Size): readonly Size[] {
  const count = node.outputCount
  if (typeof size !== 'number') return new Array<Size>(count).fill(divideDown(size, count))
  const part = Math.ceil(size / count)
  return Array.from({ length: count }, (_, i) => Math.max(0, Math.min(part, size - part * i)))
}

/** Operators that put tensors together and take them apart. */
export const JOINING: readonly Operator[] = [concat, split]
