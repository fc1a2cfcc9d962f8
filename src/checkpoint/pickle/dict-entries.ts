import type { PickleDict, PickleValue } from './pickle-value.ts'

/** What has entries: a dict, or a defaultdict. */
export type Entries = Pick<PickleDict, 'entries' | 'index'>

const SEARCHED_LENGTH = 8

/**
 * Sets a key as Python does: an equal key keeps its place and takes the new value. `1`, `1.0` and `True` are equal.
 * Tuples and other objects are equal only to themselves: a pickler never writes two equal ones into one dict.
 * Returns false when Python could not hash the key.
 */
export function setEntry(dict: Entries, key: PickleValue, value: PickleValue): boolean {
  const identity = keyIdentity(key)
  if (identity === undefined) return false
  const at = findEntry(dict, identity)
  if (at !== undefined) dict.entries[at]![1] = value
  else {
    dict.index?.set(identity, dict.entries.length)
    dict.entries.push([key, value])
  }
  return true
}

/** The value of a string key. */
export function getEntry(dict: Entries, key: string): PickleValue | undefined {
  const at = findEntry(dict, key)
  return at === undefined ? undefined : dict.entries[at]![1]
}

function findEntry(dict: Entries, identity: unknown): number | undefined {
  if (!dict.index && dict.entries.length > SEARCHED_LENGTH)
    dict.index = new Map(dict.entries.map(([key], at) => [keyIdentity(key), at]))
  if (dict.index) return dict.index.get(identity)
  const at = dict.entries.findIndex(([key]) => keyIdentity(key) === identity)
  return at < 0 ? undefined : at
}

/** What a Map compares keys by; undefined when the value cannot be a key. */
function keyIdentity(key: PickleValue): unknown {
  if (typeof key === 'boolean') return Number(key)
  if (typeof key !== 'object' || key === null) return key
  if (key.kind === 'float') return key.value
  return UNHASHABLE.has(key.kind) ? undefined : key
}

const UNHASHABLE: ReadonlySet<string> = new Set(['list', 'set', 'dict', 'ordered_dict', 'counter', 'bytearray'])
