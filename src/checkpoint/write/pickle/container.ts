import type { ValueNode } from '../../value-tree.ts'
import { endTuple } from './leaf.ts'
import { emit, emitGlobal, memoize, type PickleOutput } from './pickle-output.ts'
import type { NodeWriter } from './pickle-context.ts'

type Container = Extract<ValueNode, { kind: 'list' | 'tuple' | 'set' | 'dict' | 'ordered_dict' | 'counter' }>

/** Items that one opcode adds, as CPython's pickler has it. */
const BATCH = 1000

/** Writes a container of Python. */
export function* emitContainer(output: PickleOutput, node: Container): NodeWriter {
  switch (node.kind) {
    case 'tuple':
      if (node.items.length === 0) {
        emit(output, 'EMPTY_TUPLE')
        return undefined
      }
      if (node.items.length > 3) emit(output, 'MARK')
      yield* node.items
      return endTuple(output, node.items.length)
    case 'list':
      return yield* emitList(output, node.items)
    case 'dict':
      return yield* emitDict(output, node.entries)
    case 'set':
      emitGlobal(output, 'builtins.set')
      yield* emitList(output, node.items)
      endTuple(output, 1)
      emit(output, 'REDUCE')
      return memoize(output)
    case 'counter': {
      emitGlobal(output, 'collections.Counter')
      yield* emitDict(output, node.entries)
      endTuple(output, 1)
      emit(output, 'REDUCE')
      const memo = memoize(output)
      if (node.state !== undefined) yield* emitState(output, node.state)
      return memo
    }
    case 'ordered_dict': {
      const memo = emitEmptyOrderedDict(output)
      yield* setItems(output, node.entries)
      // After the items: `_metadata` of a state_dict.
      if (node.state !== undefined) yield* emitState(output, node.state)
      return memo
    }
    default:
      return node satisfies never
  }
}

/** `OrderedDict()`. */
export function emitEmptyOrderedDict(output: PickleOutput): number {
  emitGlobal(output, 'collections.OrderedDict')
  emit(output, 'EMPTY_TUPLE')
  emit(output, 'REDUCE')
  return memoize(output)
}

/** BUILD with the value of a node. */
export function* emitState(output: PickleOutput, state: number): Generator<number, void> {
  yield state
  emit(output, 'BUILD')
}

/** A list; returns its memo number. */
function* emitList(output: PickleOutput, items: readonly number[]): Generator<number, number> {
  emit(output, 'EMPTY_LIST')
  const memo = memoize(output)
  yield* appendItems(output, items)
  return memo
}

/** Appends to the list on top of the stack. */
export function* appendItems(output: PickleOutput, items: readonly number[]): Generator<number, void> {
  for (let at = 0; at < items.length; at += BATCH) {
    const batch = items.slice(at, at + BATCH)
    if (batch.length > 1) emit(output, 'MARK')
    yield* batch
    emit(output, batch.length > 1 ? 'APPENDS' : 'APPEND')
  }
}

/** A dict. Attributes, which only a safetensors file gives one, have no place in a pickle. */
function* emitDict(output: PickleOutput, entries: readonly (readonly [number, number])[]): Generator<number, number> {
  emit(output, 'EMPTY_DICT')
  const memo = memoize(output)
  yield* setItems(output, entries)
  return memo
}

/** Sets the entries of the mapping on top of the stack. */
export function* setItems(
  output: PickleOutput,
  entries: readonly (readonly [number, number])[],
): Generator<number, void> {
  for (let at = 0; at < entries.length; at += BATCH) {
    const batch = entries.slice(at, at + BATCH)
    if (batch.length > 1) emit(output, 'MARK')
    for (const [key, value] of batch) {
      yield key
      yield value
    }
    emit(output, batch.length > 1 ? 'SETITEMS' : 'SETITEM')
  }
}
