import { product, shapeText, subtract } from '../size.ts'
import { isFollowed, rounded, smallShape } from './elements.ts'
import type { Operator } from './operator.ts'
import { constantElements } from './constant-elements.ts'

const shape: Operator = {
  name: 'Shape',
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { start: 'int', end: 'int' },
  infer: (node) => {
    const sizes = node.input(0).shape.slice(node.int('start') ?? 0, node.int('end') ?? Infinity)
    return [{ dtype: 'int64', shape: [sizes.length], elements: sizes }]
  },
}

const size: Operator = {
  name: 'Size',
  inputs: [1, 1],
  outputs: [1, 1],
  infer: (node) => [{ dtype: 'int64', shape: [], elements: [product(node.input(0).shape)] }],
}

const constantOfShape: Operator = {
  name: 'ConstantOfShape',
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { value: 'tensor' },
  infer: (node) => {
    const sizes = node.known(0)!
    const value = node.tensor('value')
    const dtype = value?.dtype ?? 'float32'
    const element = value ? constantElements(value)?.[0] : 0
    const small = smallShape(sizes)
    if (!small || element === undefined) return [{ dtype, shape: sizes }]
    const count = small.reduce((total, count) => total * count, 1)
    return [{ dtype, shape: sizes, elements: new Array<typeof element>(count).fill(element) }]
  },
}

const range: Operator = {
  name: 'Range',
  inputs: [3, 3],
  outputs: [1, 1],
  infer: (node) => {
    const { dtype } = node.input(0)
    const [start, limit, delta] = [0, 1, 2].map((index) => node.known(index)![0] ?? node.fail('lacks a bound'))
    if (typeof start !== 'number' || typeof limit !== 'number' || typeof delta !== 'number') {
      if (delta !== 1) node.fail(`counts from ${shapeText([start!])} by ${shapeText([delta!])}`)
      return [{ dtype, shape: [subtract(limit!, start!)] }]
    }
    const count = Math.max(0, Math.ceil((limit - start) / delta))
    if (!Number.isSafeInteger(count)) node.fail(`counts from ${start} to ${limit} by ${delta}`)
    if (!smallShape([count]) || !isFollowed(dtype)) return [{ dtype, shape: [count] }]
    return [
      { dtype, shape: [count], elements: Array.from({ length: count }, (_, i) => rounded(dtype, start + i * delta)) },
    ]
  },
}

/** Operators that turn shapes into values and values into shapes. */
export const SHAPE_SOURCE: readonly Operator[] = [shape, size, constantOfShape, range]
