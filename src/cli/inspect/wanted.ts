/** What `inspect` is to find out. */
export interface Wanted {
  readonly statistics: boolean
  readonly sha256: boolean
  readonly tree: boolean
  /** Whether a tensor is listed. */
  readonly key: (key: string) => boolean
}

/** `--key PATTERN`: with `*` (anything) or `?` (a character) the whole key has to match, else it has to contain the pattern. */
export function keyFilter(pattern: string | undefined): Wanted['key'] {
  if (pattern === undefined) return () => true
  if (!/[*?]/.test(pattern)) return (key) => key.includes(pattern)
  const parts = pattern.split(/\*+/)
  return (key) => matches(key, parts)
}

/** Whether a key is made of these parts with anything between them. Each is looked for once: no pattern takes long. */
function matches(key: string, parts: readonly string[]): boolean {
  const [first, ...rest] = parts
  if (!fits(key, 0, first!)) return false
  const last = rest.pop()
  if (last === undefined) return key.length === first!.length
  let at = first!.length
  for (const part of rest) {
    while (at + part.length <= key.length && !fits(key, at, part)) at++
    if (at + part.length > key.length) return false
    at += part.length
  }
  return key.length - last.length >= at && fits(key, key.length - last.length, last)
}

function fits(key: string, at: number, part: string): boolean {
  if (at + part.length > key.length) return false
  for (let i = 0; i < part.length; i++) if (part[i] !== '?' && part[i] !== key[at + i]) return false
  return true
}
