import type { ValueNode } from '../../value-tree.ts'
import {
  emit,
  emitBool,
  emitFloat,
  emitGlobal,
  emitInteger,
  emitNewText,
  emitText,
  memoize,
  recall,
  type PickleOutput,
} from './pickle-output.ts'

/** Nodes that have no nodes inside of them. */
export type LeafNode = Extract<
  ValueNode,
  {
    kind: 'none' | 'bool' | 'int' | 'float' | 'complex' | 'string' | 'bytes' | 'bytearray' | 'size' | 'dtype' | 'device'
  }
>

/** Writes a leaf; returns its memo number where it has identity. */
export function emitLeaf(output: PickleOutput, node: LeafNode): number | undefined {
  switch (node.kind) {
    case 'none':
      emit(output, 'NONE')
      return undefined
    case 'bool':
      emitBool(output, node.value)
      return undefined
    case 'int':
      emitInteger(output, typeof node.value === 'string' ? BigInt(node.value) : node.value)
      return undefined
    case 'float':
      emitFloat(output, Number(node.value))
      return undefined
    case 'string':
      emitText(output, node.value)
      return undefined
    case 'dtype':
      emitGlobal(output, `torch.${node.value}`)
      return undefined
    case 'complex':
      emitGlobal(output, 'builtins.complex')
      emitFloat(output, Number(node.re))
      emitFloat(output, Number(node.im))
      return reduceTuple(output, 'TUPLE2')
    case 'bytes':
      // Empty ones too: PyTorch's weights_only unpickler does not know `bytes()`, which CPython writes.
      return emitLatin1(output, '_codecs.encode', node.value, 'latin1')
    case 'bytearray':
      return emitLatin1(output, 'builtins.bytearray', node.value, 'latin-1')
    case 'size':
      emitGlobal(output, 'torch.Size')
      emitIntegers(output, node.sizes)
      return reduceTuple(output, 'TUPLE1')
    case 'device':
      emitGlobal(output, 'torch.device')
      emitText(output, node.type)
      if (node.index === undefined) return reduceTuple(output, 'TUPLE1')
      emitInteger(output, node.index)
      return reduceTuple(output, 'TUPLE2')
    default:
      return node satisfies never
  }
}

/** A tuple of whole numbers. */
export function emitIntegers(output: PickleOutput, values: readonly number[]): void {
  if (values.length === 0) {
    emit(output, 'EMPTY_TUPLE')
    return
  }
  if (values.length > 3) emit(output, 'MARK')
  for (const value of values) emitInteger(output, value)
  endTuple(output, values.length)
}

/** Ends a tuple whose items are on the stack; above three of them, a MARK is below. */
export function endTuple(output: PickleOutput, length: number): number {
  emit(output, length > 3 ? 'TUPLE' : TUPLES[length as 1 | 2 | 3])
  return memoize(output)
}

const TUPLES = { 1: 'TUPLE1', 2: 'TUPLE2', 3: 'TUPLE3' } as const

/** Makes the tuple of arguments and the call. */
function reduceTuple(output: PickleOutput, opcode: 'TUPLE1' | 'TUPLE2'): number {
  emit(output, opcode)
  memoize(output)
  emit(output, 'REDUCE')
  return memoize(output)
}

/** Bytes as protocol 2 has them: a text whose characters are the bytes. */
function emitLatin1(output: PickleOutput, callable: string, base64: string, encoding: string): number {
  emitGlobal(output, callable)
  const text = Buffer.from(base64, 'base64').toString('latin1')
  emitNewText(output, text)
  emitText(output, encoding)
  return reduceTuple(output, 'TUPLE2')
}

/** Pushes a value that was memoised, or nothing. */
export function recallOr(output: PickleOutput, index: number | undefined): boolean {
  if (index === undefined) return false
  recall(output, index)
  return true
}
