/** A Python literal as numpy writes it into headers. Tuples and lists are arrays. */
export type Literal = string | number | boolean | null | readonly Literal[] | { readonly [key: string]: Literal }

/**
 * Reads a Python literal (strings, integers, True, False, None, tuples, lists, dicts with string keys) without
 * evaluating anything. Returns undefined when the text is none.
 */
export function parseLiteral(text: string): Literal | undefined {
  const tokens = tokenize(text)
  if (tokens === null) return undefined
  const state = { tokens, at: 0 }
  const value = parseValue(state, 0)
  return value !== undefined && state.at === tokens.length ? value : undefined
}

const TOKEN =
  /\s*(?:([{}()[\],:])|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(-?\d{1,20})L?(?![\w.])|(True|False|None)(?!\w))/y
const MAX_DEPTH = 16

type Token = { readonly mark: string } | { readonly value: Literal }

function tokenize(text: string): Token[] | null {
  const tokens: Token[] = []
  const trimmed = text.trimEnd()
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < trimmed.length) {
    const match = TOKEN.exec(trimmed)
    if (match === null) return null
    const [, mark, single, double, integer, word] = match
    if (mark !== undefined) tokens.push({ mark })
    else if (integer !== undefined) tokens.push({ value: Number(integer) })
    else if (word !== undefined) tokens.push({ value: word === 'None' ? null : word === 'True' })
    else tokens.push({ value: (single ?? double)!.replace(/\\(.)/gs, '$1') })
  }
  return tokens
}

interface State {
  readonly tokens: readonly Token[]
  at: number
}

function parseValue(state: State, depth: number): Literal | undefined {
  const token = state.tokens[state.at++]
  if (token === undefined || depth > MAX_DEPTH) return undefined
  if ('value' in token) return token.value
  if (token.mark === '(') return parseItems(state, ')', depth)
  if (token.mark === '[') return parseItems(state, ']', depth)
  if (token.mark === '{') return parseDict(state, depth)
  return undefined
}

function parseItems(state: State, close: string, depth: number): Literal[] | undefined {
  const items: Literal[] = []
  while (!takes(state, close)) {
    const item = parseValue(state, depth + 1)
    if (item === undefined) return undefined
    items.push(item)
    if (!takes(state, ',') && !sees(state, close)) return undefined
  }
  return items
}

function parseDict(state: State, depth: number): Record<string, Literal> | undefined {
  // A Map first: a key may be __proto__.
  const members = new Map<string, Literal>()
  while (!takes(state, '}')) {
    const key = parseValue(state, depth + 1)
    if (typeof key !== 'string' || members.has(key) || !takes(state, ':')) return undefined
    const value = parseValue(state, depth + 1)
    if (value === undefined) return undefined
    members.set(key, value)
    if (!takes(state, ',') && !sees(state, '}')) return undefined
  }
  return Object.fromEntries(members)
}

function sees(state: State, mark: string): boolean {
  const token = state.tokens[state.at]
  return token !== undefined && 'mark' in token && token.mark === mark
}

function takes(state: State, mark: string): boolean {
  const found = sees(state, mark)
  if (found) state.at++
  return found
}
