import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { buildSchema, getIntrospectionQuery, type GraphQLError } from 'graphql'
import { DEFAULT_API_LIMITS, type ApiLimits } from '../../src/api/limits.ts'
import { checkOperation } from '../../src/api/operation/check-operation.ts'
import { costOf } from '../../src/api/operation/cost.ts'

const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'))

function check(
  query: string,
  variables: Record<string, unknown> = {},
  limits: Partial<ApiLimits> = {},
  operationName?: string,
) {
  return checkOperation(schema, { ...DEFAULT_API_LIMITS, ...limits }, { query, variables, operationName })
}

function refusal(...args: Parameters<typeof check>): readonly GraphQLError[] {
  const result = check(...args)
  if ('operation' in result) throw new Error('the operation was taken')
  return result
}

function cost(query: string, variables: Record<string, unknown> = {}): number {
  const result = check(query, variables, { cost: Number.MAX_SAFE_INTEGER })
  if (!('operation' in result)) throw new Error(result.map(({ message }) => message).join('\n'))
  return costOf(schema, result.document, result.operation, variables)
}

describe('an ordinary operation is taken', () => {
  test.each([
    ['{ __typename }'],
    [
      '{ models { nodes { id name architecture { parameterCount } checkpoints(first: 5) { nodes { runs(first: 3) { nodes { id } } } } } } }',
    ],
    [
      '{ runs(first: 100) { nodes { id model { name } checkpoint { name } dataset { name } metrics { name value } } pageInfo { endCursor } } }',
    ],
    ['{ checkpoint(id: "x") { tensors { key } binding { ok missingKeys proposals { description } } tree } }'],
    ['subscription { runProgress(id: "x") { seq run { metrics { name value } } } }'],
    [getIntrospectionQuery()],
    [
      getIntrospectionQuery({
        descriptions: true,
        inputValueDeprecation: true,
        schemaDescription: true,
        specifiedByUrl: true,
        directiveIsRepeatable: true,
        oneOf: true,
      }),
    ],
  ])('%.60s', (query) => {
    expect(check(query)).toHaveProperty('operation')
  })
})

describe('cost', () => {
  test('is one for each object that may be answered', () => {
    expect(cost('{ run(id: "x") { id name status samples } }')).toBe(1)
    expect(cost('{ run(id: "x") { model { id } dataset { id } } }')).toBe(3)
  })
  test('multiplies with the page, literal, variable or default', () => {
    const plain = (first: string) => cost(`{ runs${first} { nodes { model { id } } } }`)
    expect(plain('')).toBe(1 + 20 * 2)
    expect(plain('(first: 50)')).toBe(1 + 50 * 2)
    expect(cost('query ($n: Int) { runs(first: $n) { nodes { model { id } } } }', { n: 80 })).toBe(1 + 80 * 2)
    expect(cost('query ($n: Int = 7) { runs(first: $n) { nodes { model { id } } } }')).toBe(1 + 7 * 2)
  })
})

describe('cost cannot be talked down', () => {
  test('by a negative page, a null page or a page that is too large', () => {
    const of = (first: number | null) => cost('query ($n: Int) { runs(first: $n) { nodes { id } } }', { n: first })
    expect(of(-1_000_000)).toBe(2)
    expect(of(null)).toBe(101)
    expect(of(1_000_000)).toBe(101)
    expect(
      cost('query ($n: Int) { cheap: runs(first: $n) { nodes { id } } dear: runs(first: 100) { nodes { id } } }', {
        n: -1_000_000,
      }),
    ).toBe(103)
  })
  test('by variables', () => {
    const query = `query ($n: Int!) { models(first: $n) { nodes { checkpoints(first: $n) { nodes { runs(first: $n) { nodes { id } } } } } } }`
    expect(check(query, { n: 5 })).toHaveProperty('operation')
    expect(refusal(query, { n: 100 })).toMatchObject([{ extensions: { code: 'QUERY_TOO_COMPLEX' } }])
  })
  test('by fragments, inline fragments or another operation of the document', () => {
    const dear =
      'models(first: 100) { nodes { checkpoints(first: 100) { nodes { runs(first: 100) { nodes { id } } } } } }'
    for (const query of [
      `{ ...F } fragment F on Query { ${dear} }`,
      `{ ... on Query { ${dear} } }`,
      `query Cheap { __typename } query Dear { ${dear} }`,
    ])
      expect(refusal(query, {}, {}, query.includes('Dear') ? 'Dear' : undefined)).toMatchObject([
        { extensions: { code: 'QUERY_TOO_COMPLEX' } },
      ])
    expect(check(`query Cheap { __typename } query Dear { ${dear} }`, {}, {}, 'Cheap')).toHaveProperty('operation')
    // A name for a document whose operation has none is no reason to stumble.
    expect(refusal('{ __typename }', {}, {}, 'Nobody')).toMatchObject([
      { message: expect.stringContaining('operationName') },
    ])
  })
  test('and what @skip leaves out costs nothing', () => {
    const query = 'query ($without: Boolean!) { __typename runs(first: 100) @skip(if: $without) { nodes { id } } }'
    expect(cost(query, { without: true })).toBe(0)
    expect(cost(query, { without: false })).toBe(101)
  })
})

describe('limits of the document', () => {
  test('tokens', () => {
    expect(refusal(`{ ${'__typename '.repeat(3000)} }`)).toMatchObject([
      { message: expect.stringContaining('Document contains more tha') },
    ])
  })
  test('depth, also through fragments', () => {
    const deep = `{ run(id: "x") { ${'model { runs { nodes { '.repeat(5)} id ${'} } }'.repeat(5)} } }`
    const fragments =
      '{ run(id: "x") { ...F0 } } ' +
      Array.from(
        { length: 5 },
        (_value, at) => `fragment F${at} on Run { model { runs { nodes { ...F${at + 1} } } } }`,
      ).join(' ') +
      ' fragment F5 on Run { id }'
    for (const query of [deep, fragments])
      expect(refusal(query)).toMatchObject([
        {
          message: expect.stringContaining('exceeds operation depth limits'),
          extensions: { code: 'QUERY_TOO_COMPLEX' },
        },
      ])
  })
  test('introspection that multiplies', () => {
    const query = `{ __schema { types { ${'fields { type { '.repeat(4)} name ${'} }'.repeat(4)} } } }`
    expect(refusal(query)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ extensions: expect.objectContaining({ code: 'QUERY_TOO_COMPLEX' }) }),
      ]),
    )
  })
  test('aliases, also through fragments', () => {
    const many = `{ ${Array.from({ length: 31 }, (_value, at) => `a${at}: __typename`).join(' ')} }`
    const spread = `{ ${'...F '.repeat(16)} } fragment F on Query { a: __typename b: __typename }`
    for (const query of [many, spread])
      expect(refusal(query)).toMatchObject([
        {
          message: expect.stringContaining('aliases; at most 30 are allowed'),
          extensions: { code: 'QUERY_TOO_COMPLEX' },
        },
      ])
  })
  test('a bomb of fragments is counted, not exploded', () => {
    const levels = 60
    const bomb =
      '{ ...F0 } ' +
      Array.from({ length: levels }, (_value, at) => `fragment F${at} on Query { ...F${at + 1} ...F${at + 1} }`).join(
        ' ',
      ) +
      ` fragment F${levels} on Query { __typename }`
    const begun = performance.now()
    expect(refusal(bomb)).toMatchObject([{ extensions: { code: 'QUERY_TOO_COMPLEX' } }])
    expect(performance.now() - begun).toBeLessThan(2_000)
  })
  test('a cycle of fragments is refused as what it is', () => {
    expect(refusal('{ ...F } fragment F on Query { ...F }')).toMatchObject([
      { message: expect.stringContaining('Cannot spread fragment "F"') },
    ])
  })
  test('several operations need a name', () => {
    expect(refusal('query A { __typename } query B { __typename }')).toMatchObject([
      { message: expect.stringContaining('operationName') },
    ])
  })
})
