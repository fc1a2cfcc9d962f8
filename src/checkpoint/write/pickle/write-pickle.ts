import { invariant } from '../../../error.ts'
import type { ValueNode } from '../../value-tree.ts'
import type { WrittenValue } from '../written-value.ts'
import { emitContainer } from './container.ts'
import { emitLeaf, recallOr } from './leaf.ts'
import { emitObject } from './object.ts'
import type { NodeWriter, PickleContext } from './pickle-context.ts'
import { emit, openPickle } from './pickle-output.ts'
import { storageTypes } from './storage-types.ts'
import { emitTensor } from './tensor.ts'

/** A pickle as torch.save writes it, and the storages that it names. */
export interface WrittenPickle {
  readonly bytes: Uint8Array
  /** Indices into `WrittenValue.storages`; the storage at position n has the key `n`. */
  readonly storages: readonly number[]
}

/**
 * Writes a value tree as a pickle of protocol 2: types, order, sharing, attributes as they are. What torch.save makes of a
 * state_dict comes out byte for byte. Iterative, so that depth costs no stack.
 */
export function writePickle(value: WrittenValue): WrittenPickle {
  const context: PickleContext = { output: openPickle(), value, types: storageTypes(value), keys: new Map() }
  const { output } = context
  const { nodes, root } = value.tree
  const memo = new Map<number, number>()
  const open: { readonly index: number; readonly writer: NodeWriter }[] = []
  const place = (index: number, memoIndex: number | undefined): void => {
    if (memoIndex !== undefined) memo.set(index, memoIndex)
  }
  const begin = (index: number): void => {
    if (recallOr(output, memo.get(index))) return
    const node = nodes[index]
    invariant(node !== undefined, `the value tree has a node ${index}`)
    if (isInner(node)) open.push({ index, writer: writerOf(context, node) })
    else place(index, emitLeaf(output, node))
  }
  begin(root)
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const next = top.writer.next()
    if (next.done === true) {
      place(top.index, next.value)
      open.pop()
    } else begin(next.value)
  }
  emit(output, 'STOP')
  return { bytes: output.bytes.finish(), storages: [...context.keys.keys()] }
}

type InnerNode = Extract<
  ValueNode,
  { kind: 'list' | 'tuple' | 'set' | 'dict' | 'ordered_dict' | 'counter' | 'tensor' | 'object' }
>

const INNER: ReadonlySet<string> = new Set<InnerNode['kind']>([
  'list',
  'tuple',
  'set',
  'dict',
  'ordered_dict',
  'counter',
  'tensor',
  'object',
])
const isInner = (node: ValueNode): node is InnerNode => INNER.has(node.kind)

function writerOf(context: PickleContext, node: InnerNode): NodeWriter {
  switch (node.kind) {
    case 'tensor':
      return emitTensor(context, node)
    case 'object':
      return emitObject(context, node)
    default:
      return emitContainer(context.output, node)
  }
}
