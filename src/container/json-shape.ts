/** What a scan of JSON text finds without parsing it. */
export interface JsonShape {
  /** Members of all objects: every colon outside of a string. */
  readonly members: number
  /** Values of all arrays and objects, or a few fewer: every comma and opening bracket outside of a string. */
  readonly values: number
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const COMMA = 0x2c
const OPEN_BRACKET = 0x5b
const OPEN_BRACE = 0x7b

/** Counts members and values, so that a limit can be checked before the text is parsed into objects. */
export function scanJson(bytes: Uint8Array): JsonShape {
  let members = 0
  let values = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === COLON) members++
    else if (byte === COMMA || byte === OPEN_BRACKET || byte === OPEN_BRACE) values++
    else if (byte === QUOTE) {
      at++
      while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1
    }
  }
  return { members, values }
}

/**
 * Members that all objects of a parsed value have together. Fewer than `scanJson` found means that a key was
 * repeated: `JSON.parse` keeps the last one, other parsers the first.
 */
export function countMembers(value: unknown): number {
  let members = 0
  const pending = [value]
  while (pending.length > 0) {
    const next = pending.pop()
    if (typeof next !== 'object' || next === null) continue
    const children: readonly unknown[] = Array.isArray(next) ? next : Object.values(next)
    if (!Array.isArray(next)) members += children.length
    for (const child of children) pending.push(child)
  }
  return members
}
