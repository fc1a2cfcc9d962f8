/** A part of a file, `end` not included. */
export interface ByteSpan {
  readonly start: number
  readonly end: number
}

/**
 * What a `Range` header asks for of a file of `size` bytes: a span, null for all of it (no header, another unit, several ranges at once,
 * a header that does not parse: RFC 9110 lets a server ignore those), or `unsatisfiable`.
 * Source: RFC 9110, 14.1.2 and 14.2.
 */
export function parseRange(header: string | undefined, size: number): ByteSpan | null | 'unsatisfiable' {
  const match = /^bytes=[ \t]*(\d{0,16})-(\d{0,16})[ \t]*$/i.exec(header ?? '')
  if (match === null) return null
  const [first, last] = [match[1]!, match[2]!]
  if (first === '') {
    if (last === '') return null
    const length = Math.min(Number(last), size)
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size }
  }
  const start = Number(first)
  if (last !== '' && Number(last) < start) return null
  if (start >= size) return 'unsatisfiable'
  return { start, end: last === '' ? size : Math.min(Number(last) + 1, size) }
}

/** Whether one of the entity tags of a header is this one. `W/` tags are never strong matches. */
export function matchesTag(header: string | undefined, etag: string, weak: boolean): boolean {
  if (header === undefined) return false
  if (header.trim() === '*') return weak
  return header.split(',').some((tag) => {
    const text = tag.trim()
    return text === etag || (weak && text === `W/${etag}`)
  })
}
