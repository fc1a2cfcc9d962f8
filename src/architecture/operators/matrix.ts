import { dimensionOf, sameSize, shapeText, type Size } from '../size.ts'
import { broadcastShapes, sameDType } from './broadcast.ts'
import type { NodeContext, Operator } from './operator.ts'
import { keepSamplesApart } from './samples-apart.ts'

function checkInner(node: NodeContext, a: Size, b: Size, left: readonly Size[], right: readonly Size[]): void {
  keepSamplesApart(node, [a])
  if (!sameSize(a, b))
    node.fail(
      `expects ${dimensionOf(b)} features, the input gives ${dimensionOf(a)}: ${shapeText(left)} times ${shapeText(right)}`,
    )
}

/** Source: numpy.matmul. */
const matMul: Operator = {
  name: 'MatMul',
  inputs: [2, 2],
  outputs: [1, 1],
  infer: (node) => {
    const inputs = [node.input(0), node.input(1)] as const
    const [a, b] = [inputs[0].shape, inputs[1].shape]
    if (a.length === 0 || b.length === 0) node.fail('multiplies a single number; matrices are expected')
    const left = a.length === 1 ? [1, ...a] : a
    const right = b.length === 1 ? [...b, 1] : b
    checkInner(node, left.at(-1)!, right.at(-2)!, a, b)
    const shape = [
      ...broadcastShapes(node, [left.slice(0, -2), right.slice(0, -2)]),
      ...(a.length === 1 ? [] : [left.at(-2)!]),
      ...(b.length === 1 ? [] : [right.at(-1)!]),
    ]
    return [{ dtype: sameDType(node, inputs), shape }]
  },
}

const gemm: Operator = {
  name: 'Gemm',
  inputs: [2, 3],
  outputs: [1, 1],
  attributes: { alpha: 'float', beta: 'float', transA: 'int', transB: 'int' },
  infer: (node) => {
    const inputs = [node.input(0), node.input(1)] as const
    for (const { shape } of inputs) if (shape.length !== 2) node.fail(`expects matrices, found ${shapeText(shape)}`)
    const [rows, inner] = node.int('transA') ? inputs[0].shape.toReversed() : inputs[0].shape
    const [inner2, columns] = node.int('transB') ? inputs[1].shape.toReversed() : inputs[1].shape
    checkInner(node, inner!, inner2!, inputs[0].shape, inputs[1].shape)
    const shape = [rows!, columns!]
    const bias = node.inputs[2]
    const fits =
      !bias ||
      (bias.shape.length <= 2 &&
        bias.shape.every((size, i) => size === 1 || sameSize(size, shape[2 - bias.shape.length + i]!)))
    if (!fits) node.fail(`its bias ${shapeText(bias.shape)} does not stretch to ${shapeText(shape)}`)
    return [{ dtype: sameDType(node, bias ? [...inputs, bias] : inputs), shape }]
  },
}

/** Source: numpy.einsum, with `...` for leading dimensions. */
const einsum: Operator = {
  name: 'Einsum',
  inputs: [1, Number.MAX_SAFE_INTEGER],
  outputs: [1, 1],
  attributes: { equation: 'string' },
  infer: (node) => {
    const equation = (node.text('equation') ?? '').replaceAll(' ', '')
    const [left = '', right] = equation.split('->')
    const terms = left.split(',')
    if (terms.length !== node.inputs.length)
      node.fail(`equation "${equation}" is not one of ${node.inputs.length} inputs`)
    const sizes = new Map<string, Size>()
    let ellipsis: readonly Size[] = []
    for (const [index, term] of terms.entries()) {
      const { shape } = node.input(index)
      const [before = '', after] = term.split('...')
      const letters = before + (after ?? '')
      const skipped = shape.length - letters.length
      if (skipped < 0 || (after === undefined && skipped > 0))
        node.fail(`equation "${equation}" does not fit input ${index}, ${shapeText(shape)}`)
      ellipsis = broadcastShapes(node, [ellipsis, shape.slice(before.length, before.length + skipped)])
      for (const [position, letter] of Array.from(letters).entries()) {
        const size = shape[position < before.length ? position : position + skipped]!
        sizes.set(letter, broadcastShapes(node, [[sizes.get(letter) ?? 1], [size]])[0]!)
      }
    }
    const once = [...sizes.keys()].filter((letter) => left.split(letter).length === 2).sort()
    const [before = '', after] = (right ?? `...${once.join('')}`).split('...')
    const sizeOf = (letter: string): Size => sizes.get(letter) ?? node.fail(`equation "${equation}": unknown ${letter}`)
    const shape = [
      ...Array.from(before, sizeOf),
      ...(after === undefined ? [] : ellipsis),
      ...Array.from(after ?? '', sizeOf),
    ]
    return [
      {
        dtype: sameDType(
          node,
          node.inputs.map((_, index) => node.input(index)),
        ),
        shape,
      },
    ]
  },
}

/** Products of matrices. */
export const MATRIX: readonly Operator[] = [matMul, gemm, einsum]
