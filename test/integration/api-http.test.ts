/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access
   -- these tests look into the data of any operation */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { gzipSync } from 'node:zlib'
import { graphql, send, sendBytes, type RawAnswer } from './api/client.ts'
import { startTestApi, type TestApi } from './api/server.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

describe('HTTP', () => {
  let api: TestApi
  beforeAll(async () => {
    api = await startTestApi({ allowedOrigins: ['https://admin.example'], limits: { requestMs: 1_500 } })
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
  })
  const post = (body: string | Buffer, headers: Record<string, string> = JSON_TYPE) =>
    send(`${api.url}/graphql`, { method: 'POST', headers, body })
  const stillServes = async () =>
    expect((await graphql(api.url, '{ __typename }')).data).toEqual({ __typename: 'Query' })

  /** The one error of an answer, which is JSON whatever went wrong. */
  function errorOf({ headers, text }: RawAnswer): { code: string; message: string } {
    expect(headers['content-type']).toMatch(/^application\/(graphql-response\+)?json/)
    const { errors } = JSON.parse(text) as { errors: { message: string; extensions: { code: string } }[] }
    expect(errors).toHaveLength(1)
    return { code: errors[0]!.extensions.code, message: errors[0]!.message }
  }

  describe('a request that is no GraphQL is answered as JSON', () => {
    test.each([
      ['malformed JSON', '{"query": ', 400, 'BAD_INPUT', 'does not parse'],
      ['no object', '"query"', 400, 'BAD_INPUT', 'does not parse'],
      ['nothing', '', 400, 'BAD_INPUT', 'POST body missing'],
      ['an object without a query', '{"variables": {}}', 400, 'BAD_INPUT', 'non-empty `query`'],
      ['a query that is no text', '{"query": 7}', 400, 'BAD_INPUT', 'must be strings'],
      ['variables that are no object', '{"query": "{ __typename }", "variables": "{}"}', 400, 'BAD_INPUT', 'variables'],
      ['a batch', '[{"query": "{ __typename }"}]', 400, 'BAD_INPUT', 'batching'],
      [
        'a persisted query',
        '{"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "ab"}}}',
        200,
        'QUERY_INVALID',
        'PersistedQueryNotSupported',
      ],
      ['a syntax error', '{"query": "{"}', 400, 'QUERY_INVALID', 'Syntax Error'],
      ['an unknown field', '{"query": "{ nothing }"}', 400, 'QUERY_INVALID', 'Cannot query field "nothing"'],
      [
        'a wrong variable',
        '{"query": "query ($n: Int) { runs(first: $n) { nodes { id } } }", "variables": {"n": "ten"}}',
        400,
        'QUERY_INVALID',
        'Int cannot represent',
      ],
      [
        'a missing variable',
        '{"query": "query ($id: ID!) { run(id: $id) { id } }"}',
        400,
        'QUERY_INVALID',
        'was not provided',
      ],
      [
        'an unknown operation',
        '{"query": "query A { __typename }", "operationName": "B"}',
        400,
        'QUERY_INVALID',
        'Unknown operation named "B"',
      ],
      ['a subscription', '{"query": "subscription { runsChanged { id } }"}', 400, 'BAD_INPUT', 'WebSocket'],
    ])('%s', async (_name, body, status, code, message) => {
      const answer = await post(body)
      expect([answer.status, errorOf(answer)]).toEqual([status, { code, message: expect.stringContaining(message) }])
      await stillServes()
    })
  })

  test.each([
    ['text/plain', 415],
    ['application/x-www-form-urlencoded', 415],
    ['multipart/form-data; boundary=x', 415],
    ['application/octet-stream', 415],
    ['application/json; charset=klingon', 415],
  ])('a body of type %s is not read: no form of another page reaches GraphQL', async (type, status) => {
    const answer = await post('{"query": "{ __typename }"}', { 'content-type': type })
    expect([answer.status, errorOf(answer).code]).toEqual([status, 'BAD_INPUT'])
  })

  test('a body without a type is not read', async () => {
    const answer = await post('{"query": "{ __typename }"}', {})
    expect([answer.status, errorOf(answer).code]).toEqual([415, 'BAD_INPUT'])
  })

  test('a body over the limit is refused, however it comes', async () => {
    const large = JSON.stringify({ query: '{ __typename }', padding: 'x'.repeat(1_000_000) })
    for (const answer of [
      await post(large),
      await post(large, { ...JSON_TYPE, 'transfer-encoding': 'chunked' }),
      await post(gzipSync(large), { ...JSON_TYPE, 'content-encoding': 'gzip' }),
    ])
      expect([answer.status, errorOf(answer)]).toEqual([
        413,
        { code: 'LIMIT_EXCEEDED', message: 'the request is larger than 1000000 bytes; files go to PUT /uploads/NAME' },
      ])
    await stillServes()
  })

  test('a body that does not come in time is cut off', async () => {
    const begun = performance.now()
    const text = await sendBytes(
      api.url,
      'POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"query"',
    )
    expect(text).not.toContain('200 OK')
    expect(performance.now() - begun).toBeLessThan(10_000)
    await stillServes()
  })

  test('bytes that are no HTTP get JSON, too', async () => {
    for (const [bytes, status, code] of [
      ['hello\r\n\r\n', 400, 'BAD_INPUT'],
      [`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'LIMIT_EXCEEDED'],
    ] as const) {
      const [head, body] = (await sendBytes(api.url, bytes)).split('\r\n\r\n') as [string, string]
      expect(head).toContain(`HTTP/1.1 ${status} `)
      expect(head).toContain('Content-Type: application/json')
      expect(JSON.parse(body)).toMatchObject({ errors: [{ code }] })
    }
    await stillServes()
  })

  test.each([
    ['GET', '/nowhere', 404, 'NOT_FOUND'],
    ['POST', '/graphql/', 200, null],
    ['GET', '/%E0%A4%A', 404, 'NOT_FOUND'],
    ['GET', '/graphql?query={__typename}', 405, 'BAD_INPUT'],
    ['PUT', '/graphql', 405, 'BAD_INPUT'],
    ['DELETE', '/uploads', 405, 'BAD_INPUT'],
    ['POST', '/healthz', 405, 'BAD_INPUT'],
    ['OPTIONS', '/graphql', 405, 'BAD_INPUT'],
    ['GET', '/uploads/../../etc/passwd', 404, 'NOT_FOUND'],
  ])('%s %s is %i', async (method, path, status, code) => {
    const answer = await send(api.url + path, {
      method,
      ...(method === 'POST' ? { headers: JSON_TYPE, body: '{"query": "{ __typename }"}' } : {}),
    })
    expect(answer.status).toBe(status)
    if (code !== null) expect(errorOf(answer).code).toBe(code)
    if (status === 405) expect(answer.headers.allow).toMatch(/GET|POST/)
  })

  test('answers tell browsers to do nothing with them', async () => {
    for (const path of ['/', '/nowhere', '/healthz']) {
      const { headers } = await send(api.url + path)
      expect(headers).toMatchObject({
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'cache-control': 'no-store',
      })
      expect(headers).not.toHaveProperty('x-powered-by')
      expect(headers).not.toHaveProperty('access-control-allow-origin')
    }
  })

  test('only pages of listed origins may ask', async () => {
    const preflight = (origin: string) =>
      send(`${api.url}/graphql`, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } })
    const allowed = await preflight('https://admin.example')
    expect([allowed.status, allowed.headers['access-control-allow-origin']]).toEqual([204, 'https://admin.example'])
    for (const origin of [
      'https://evil.example',
      'null',
      'http://admin.example',
      'https://admin.example.evil.example',
    ]) {
      const answer = await preflight(origin)
      expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([405, undefined])
    }
  })

  describe('limits of operations hold', () => {
    test.each([
      ['tokens', `{ ${'__typename '.repeat(2100)} }`],
      [
        'depth',
        `{ models { ${'nodes { runs { nodes { model { checkpoints { '.repeat(3)} pageInfo { endCursor } ${'} } } } }'.repeat(3)} } }`,
      ],
      ['aliases', `{ ${Array.from({ length: 31 }, (_value, at) => `a${at}: __typename`).join(' ')} }`],
      [
        'cost',
        '{ models(first: 100) { nodes { checkpoints(first: 100) { nodes { runs(first: 100) { nodes { id } } } } } } }',
      ],
    ])('%s', async (_name, query) => {
      const { status, errors } = await graphql(api.url, query)
      expect([status, errors?.[0]?.extensions.code]).toEqual([400, 'QUERY_TOO_COMPLEX'])
    })

    test('cost, with the page in a variable, every time the same text is sent', async () => {
      const query =
        'query ($n: Int) { models(first: $n) { nodes { checkpoints(first: $n) { nodes { runs(first: $n) { nodes { id } } } } } } }'
      for (const [n, status] of [
        [5, 200],
        [100, 400],
        [5, 200],
        [100, 400],
      ] as const)
        expect((await graphql(api.url, query, { n })).status).toBe(status)
    })

    test('and introspection is allowed', async () => {
      const { data } = await graphql(
        api.url,
        '{ __schema { queryType { name } } __type(name: "Run") { fields { name } } }',
      )
      expect(data.__schema.queryType).toEqual({ name: 'Query' })
      expect(data.__type.fields.length).toBeGreaterThan(10)
    })
  })

  test('what nobody expected is masked, logged with an id, and does not stop the server', async () => {
    const row = await api.store.prisma.architecture.create({
      data: { sha256: 'ef'.repeat(32), source: 'ONNX', graph: new Uint8Array([1, 2, 3]), parameterCount: 2n ** 60n },
    })
    const { status, data, errors } = await graphql(
      api.url,
      `{ node(id: "arc_${row.id}") { ... on Architecture { parameterCount } } }`,
    )
    expect([status, data]).toEqual([200, { node: null }])
    const [error] = errors!
    expect(error).toMatchObject({
      path: ['node', 'parameterCount'],
      extensions: { code: 'INTERNAL', id: expect.any(String) },
    })
    expect(error!.message).toBe(`Something failed on the server; the log has it under the id ${error!.extensions.id}.`)
    expect(JSON.stringify(errors)).not.toContain('SafeInt')
    expect(api.log.find(({ errorId }) => errorId === error!.extensions.id)).toMatchObject({
      err: { message: expect.stringContaining('SafeInt'), stack: expect.any(String) },
    })
    await stillServes()
  })

  test('what a mutation did not expect is masked, too: it is no data', async () => {
    const { prisma } = api.store
    await prisma.$executeRaw`alter table "Model" rename to elsewhere`
    try {
      const { data, errors } = await graphql(
        api.url,
        'mutation ($input: CreateModelInput!) { createModel(input: $input) { errors { message } } }',
        { input: { name: 'x', task: 'BINARY', architecture: { layers: {} } } },
      )
      expect(data).toBeNull()
      expect(errors).toMatchObject([
        { path: ['createModel'], extensions: { code: 'INTERNAL', id: expect.any(String) } },
      ])
      expect(JSON.stringify(errors)).not.toMatch(/prisma|elsewhere|relation/i)
    } finally {
      await prisma.$executeRaw`alter table elsewhere rename to "Model"`
    }
    await stillServes()
  })

  test('the address of a server without explorer says what is where', async () => {
    const { status, text } = await send(api.url)
    expect([status, JSON.parse(text)]).toEqual([200, expect.objectContaining({ name: 'nograd', graphql: '/graphql' })])
  })
})
