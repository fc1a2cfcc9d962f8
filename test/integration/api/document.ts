import { readFileSync } from 'node:fs'

/** An example of docs/graphql.md. */
export interface Example {
  /** Line of the document, for messages. */
  readonly line: number
  /** `graphql`, `sh` or `js`. */
  readonly language: string
  readonly text: string
  readonly variables: unknown
  /** What the document says that comes back; undefined when it does not say. */
  readonly answer: unknown
}

/** The examples of a document: each `graphql`, `sh` or `js` block with the `json variables` and `json answer` blocks that follow it. */
export function readExamples(path: string): Example[] {
  const text = readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')
  const examples: { -readonly [Key in keyof Example]: Example[Key] }[] = []
  for (const match of text.matchAll(/^```(\w+)(?: (\w+))?\n([\s\S]*?)^```$/gm)) {
    const [, language, role, block] = match as unknown as [string, string, string | undefined, string]
    if (['graphql', 'sh', 'js'].includes(language))
      examples.push({
        line: text.slice(0, match.index).split('\n').length,
        language,
        text: block,
        variables: {},
        answer: undefined,
      })
    else if (role === 'variables') examples.at(-1)!.variables = JSON.parse(block)
    else if (role === 'answer') examples.at(-1)!.answer = JSON.parse(block)
  }
  return examples
}

const ID = /\b[a-z]{3}_[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g

/** Ids of a document and the real ones that stand for them in a test. */
export function documentIds() {
  const real = new Map<string, string>()

  /** A value of the document with the real ids. */
  const toReal = <Value>(value: Value): Value =>
    JSON.parse(JSON.stringify(value).replace(ID, (id) => real.get(id) ?? id)) as Value

  function textDifference(documented: string, actual: string, at: string): string | null {
    const id = documented.match(ID)?.[0]
    if (id === documented && !real.has(id)) {
      real.set(id, actual)
      return actual.startsWith(id.slice(0, 4)) ? null : `${at} is ${actual}, no id like ${id}`
    }
    return toReal(documented) === actual ? null : unlike(at, actual, documented)
  }

  /**
   * Where an answer is not what the document says: null when it is. `"…"` is anything; an id of the document that was not seen before is
   * learnt.
   */
  function difference(documented: unknown, actual: unknown, at = 'answer'): string | null {
    if (documented === '…') return actual === undefined ? `${at} is missing` : null
    if (typeof documented === 'number' && typeof actual === 'number')
      return Math.abs(documented - actual) <= 1e-6 ? null : unlike(at, actual, documented)
    if (typeof documented === 'string' && typeof actual === 'string') return textDifference(documented, actual, at)
    if (!isObject(documented) || !isObject(actual)) return documented === actual ? null : unlike(at, actual, documented)
    for (const key of new Set([...Object.keys(documented), ...Object.keys(actual)])) {
      if (!(key in documented)) return `${at}.${key} is not documented: ${JSON.stringify(actual[key])}`
      const found = difference(documented[key], actual[key], `${at}.${key}`)
      if (found !== null) return found
    }
    return null
  }

  return { toReal, difference }
}

const unlike = (at: string, actual: unknown, documented: unknown) =>
  `${at} is ${JSON.stringify(actual)}, not ${JSON.stringify(documented)}`

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
