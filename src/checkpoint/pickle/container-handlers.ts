import { setEntry, type Entries } from './dict-entries.ts'
import { charge, corrupt, pop, popMark, pushObject, top, topOfKind, type PickleMachine } from './machine-state.ts'
import { typeName, type PickleDict, type PickleValue } from './pickle-value.ts'
import type { Handlers } from './scalar-handlers.ts'

/**
 * Opcodes that make and fill containers. Their targets are checked by type: SETITEM on what is no dict was a way out
 * of PyTorch's own restricted unpickler (CVE-2026-24747).
 */
export const CONTAINER_HANDLERS: Handlers = {
  MARK: (m) => m.marks.push(m.stack.length),
  POP(m) {
    // CPython: POP right after a MARK takes the MARK.
    if (m.marks.at(-1) === m.stack.length) m.marks.pop()
    else pop(m)
  },
  POP_MARK: (m) => void popMark(m),
  DUP: (m) => m.stack.push(top(m)),

  EMPTY_DICT: (m) => pushObject(m, { kind: 'dict', entries: [] }),
  EMPTY_LIST: (m) => pushObject(m, { kind: 'list', items: [] }),
  EMPTY_TUPLE: (m) => pushObject(m, { kind: 'tuple', items: [] }),
  EMPTY_SET: (m) => pushObject(m, { kind: 'set', items: [] }),
  LIST: (m) => pushObject(m, { kind: 'list', items: popMark(m) }),
  TUPLE: (m) => pushObject(m, { kind: 'tuple', items: popMark(m) }),
  TUPLE1: (m) => pushTuple(m, 1),
  TUPLE2: (m) => pushTuple(m, 2),
  TUPLE3: (m) => pushTuple(m, 3),
  DICT(m) {
    const items = popMark(m)
    const dict: PickleDict = { kind: 'dict', entries: [] }
    pushObject(m, dict)
    setItems(m, dict, items)
  },

  FROZENSET(m) {
    const list = { kind: 'list', items: popMark(m) } as const
    charge(m, 2)
    pushObject(m, { kind: 'object', class: 'builtins.frozenset', args: { kind: 'tuple', items: [list] } })
  },

  APPEND(m) {
    const item = pop(m)
    listOf(m, 'APPEND', 'list')?.push(item)
  },
  APPENDS: (m) => extend(m, 'APPENDS', 'list'),
  ADDITEMS: (m) => extend(m, 'ADDITEMS', 'set'),
  SETITEM(m) {
    const value = pop(m)
    const key = pop(m)
    setItems(m, entriesOf(m, 'SETITEM'), [key, value])
  },
  SETITEMS(m) {
    const items = popMark(m)
    setItems(m, entriesOf(m, 'SETITEMS'), items)
  },
}

const DICTS = ['dict', 'ordered_dict', 'counter'] as const

/** The entries of the dict or defaultdict on top of the stack; undefined for a foreign object, which stays inert. */
function entriesOf(machine: PickleMachine, opcode: string): Entries | undefined {
  const value = top(machine)
  if (typeof value === 'object' && value?.kind === 'object' && value.entries !== undefined) return value as Entries
  const target = topOfKind(machine, opcode, DICTS)
  return target.kind === 'foreign' ? undefined : target
}

/** The items of the list, set or deque on top of the stack. */
function listOf(machine: PickleMachine, opcode: string, kind: 'list' | 'set'): PickleValue[] | undefined {
  const value = top(machine)
  if (kind === 'list' && typeof value === 'object' && value?.kind === 'object' && value.items !== undefined)
    return value.items
  const target = topOfKind(machine, opcode, [kind])
  return target.kind === 'foreign' ? undefined : target.items
}

function pushTuple(machine: PickleMachine, length: number): void {
  const items = new Array<PickleValue>(length)
  for (let i = length - 1; i >= 0; i--) items[i] = pop(machine)
  pushObject(machine, { kind: 'tuple', items })
}

function extend(machine: PickleMachine, opcode: string, kind: 'list' | 'set'): void {
  const items = popMark(machine)
  const target = listOf(machine, opcode, kind)
  // Not push(...items): a million arguments overflow the stack.
  for (const item of items) target?.push(item)
}

function setItems(machine: PickleMachine, target: Entries | undefined, items: readonly PickleValue[]): void {
  if (items.length % 2 !== 0) throw corrupt(machine, 'the last key has no value')
  if (target === undefined) return
  for (let i = 0; i < items.length; i += 2)
    if (!setEntry(target, items[i]!, items[i + 1]!))
      throw corrupt(machine, `a ${typeName(items[i]!)} is the key of a dict, and Python cannot hash it`)
}
