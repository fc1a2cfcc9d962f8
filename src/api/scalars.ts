import { GraphQLError, GraphQLScalarType, Kind, valueFromASTUntyped } from 'graphql'

/** Levels that a JSON value may be nested: what walks it may recurse. */
const MAX_JSON_DEPTH = 64

/** A moment in UTC; `Date` inside, ISO 8601 with milliseconds outside. */
export const DateTimeScalar = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  serialize(value) {
    if (!(value instanceof Date) || Number.isNaN(value.getTime()))
      throw new TypeError('a DateTime must be a valid Date')
    return value.toISOString()
  },
  parseValue: parseDateTime,
  parseLiteral(node) {
    if (node.kind !== Kind.STRING)
      throw new GraphQLError('DateTime is a string: "2026-01-31T12:00:00.000Z"', { nodes: node })
    return parseDateTime(node.value)
  },
})

function parseDateTime(value: unknown): Date {
  // With its zone: a local time would mean something else on each server.
  const date =
    typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(value)
      ? new Date(value)
      : null
  if (date === null || Number.isNaN(date.getTime()))
    throw new GraphQLError(`DateTime cannot represent ${show(value)}; write it as "2026-01-31T12:00:00.000Z"`)
  return date
}

/** A whole number up to 2^53 - 1 in size; a bigint of the database is one, too. */
export const SafeIntScalar = new GraphQLScalarType<number, number>({
  name: 'SafeInt',
  serialize(value) {
    const number = typeof value === 'bigint' ? Number(value) : value
    if (typeof number !== 'number' || !Number.isSafeInteger(number))
      throw new TypeError(`a SafeInt must be a whole number up to 2^53 - 1, not ${show(value)}`)
    return number
  },
  parseValue: parseSafeInt,
  parseLiteral(node) {
    if (node.kind !== Kind.INT) throw new GraphQLError('SafeInt is a whole number', { nodes: node })
    return parseSafeInt(Number(node.value))
  },
})

function parseSafeInt(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value))
    throw new GraphQLError(`SafeInt cannot represent ${show(value)}; whole numbers up to 2^53 - 1 are`)
  return value
}

/** Any JSON value, not too deeply nested. */
export const JsonScalar = new GraphQLScalarType<unknown, unknown>({
  name: 'JSON',
  serialize: (value) => value,
  parseValue: checkJsonDepth,
  parseLiteral: (node, variables) => checkJsonDepth(valueFromASTUntyped(node, variables)),
})

function checkJsonDepth(value: unknown): unknown {
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 0 }]
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    if (typeof item.value !== 'object' || item.value === null) continue
    const depth = item.depth + 1
    if (depth > MAX_JSON_DEPTH) throw new GraphQLError(`JSON is nested more than ${MAX_JSON_DEPTH} levels deep`)
    // Most of what there is, where an array of numbers was sent, is no object.
    for (const child of Object.values(item.value) as unknown[])
      if (typeof child === 'object') open.push({ value: child, depth })
  }
  return value
}

const show = (value: unknown) =>
  typeof value === 'bigint'
    ? `${value}n`
    : ((JSON.stringify(value) as string | undefined)?.slice(0, 60) ?? typeof value)
