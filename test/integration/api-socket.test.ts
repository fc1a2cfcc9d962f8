import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { encodeId } from '../../src/api/object-id.ts'
import { collect, graphql, socketClient } from './api/client.ts'
import { rowWriter } from './api/rows.ts'
import { startTestApi, type TestApi } from './api/server.ts'

const PROTOCOL = 'graphql-transport-ws'

describe('the WebSocket', () => {
  let api: TestApi
  let write: ReturnType<typeof rowWriter>
  let runId: string
  beforeAll(async () => {
    api = await startTestApi({
      allowedOrigins: ['https://admin.example'],
      limits: { sockets: 20, subscriptionsPerSocket: 3, keepAliveMs: 300, socketBacklogBytes: 1_000_000 },
    })
    write = rowWriter(api.store.prisma)
    const checkpoint = await write.checkpoint((await write.model()).id)
    runId = encodeId('Run', (await write.run(checkpoint, (await write.dataset()).id)).id)
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
  })

  const address = (path = '/graphql') => `${api.url.replace('http', 'ws')}${path}`

  /** A raw connection and everything that it received. */
  async function open(options: { origin?: string; path?: string; protocol?: null } = {}) {
    const socket = new WebSocket(address(options.path), options.protocol === null ? [] : PROTOCOL, {
      ...(options.origin === undefined ? {} : { origin: options.origin }),
    })
    const messages: { type: string; id?: string; payload?: unknown }[] = []
    socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString()) as (typeof messages)[number]))
    await once(socket, 'open')
    return {
      socket,
      messages,
      say: (message: unknown) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
      closed: new Promise<{ code: number; reason: string }>((resolve) =>
        socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() })),
      ),
      until: async (type: string) => {
        for (let tries = 0; tries < 500; tries++) {
          const found = messages.find((message) => message.type === type)
          if (found !== undefined) return found
          await sleep(10)
        }
        throw new Error(`no ${type} among ${JSON.stringify(messages)}`)
      },
    }
  }

  async function openAndInit() {
    const connection = await open()
    connection.say({ type: 'connection_init' })
    await connection.until('connection_ack')
    return connection
  }

  /** The errors with which a subscription was refused. */
  async function refusalOf(query: string, variables: Record<string, unknown> = {}) {
    const client = socketClient(api.url)
    try {
      await collect(client, query, variables, 1)
    } catch (errors) {
      return errors as { message: string; extensions: { code: string } }[]
    } finally {
      await client.dispose()
    }
    throw new Error('the subscription was taken')
  }

  describe('an upgrade', () => {
    async function refusedUpgrade(options: { origin?: string; path?: string }) {
      const socket = new WebSocket(
        address(options.path),
        PROTOCOL,
        options.origin === undefined ? {} : { origin: options.origin },
      )
      socket.on('error', () => undefined)
      const [, response] = (await once(socket, 'unexpected-response')) as [
        unknown,
        AsyncIterable<Buffer> & { statusCode: number },
      ]
      let text = ''
      for await (const piece of response) text += piece.toString()
      return { status: response.statusCode, ...(JSON.parse(text) as { errors: { code: string }[] }) }
    }

    test.each(['https://evil.example', 'null', 'http://127.0.0.1:1', 'http://admin.example', 'file://'])(
      'by a page of %s is refused',
      async (origin) => {
        expect(await refusedUpgrade({ origin })).toMatchObject({ status: 403, errors: [{ code: 'BAD_INPUT' }] })
      },
    )
    test('by our own page, a listed page, and no page at all is taken', async () => {
      for (const origin of [api.url, 'https://admin.example', undefined]) {
        const { socket, closed } = await open(origin === undefined ? {} : { origin })
        socket.close()
        await closed
      }
    })
    test('of another path is refused', async () => {
      for (const path of ['/', '/uploads', '/graphql/x'])
        expect(await refusedUpgrade({ path })).toMatchObject({ status: 404, errors: [{ code: 'NOT_FOUND' }] })
    })
    test('over the number of connections is refused until one goes', async () => {
      const connections = await Promise.all(Array.from({ length: 20 }, () => open()))
      expect(await refusedUpgrade({})).toMatchObject({ status: 503, errors: [{ code: 'LIMIT_EXCEEDED' }] })
      for (const { socket } of connections) socket.close()
      await Promise.all(connections.map(({ closed }) => closed))
      const again = await open()
      again.socket.close()
      await again.closed
    })
    test('without the protocol is closed (4406)', async () => {
      const { closed } = await open({ protocol: null })
      expect(await closed).toEqual({ code: 4406, reason: 'Subprotocol not acceptable' })
    })
  })

  describe('takes subscriptions only', () => {
    test.each([
      ['a query', '{ __typename }', 'BAD_INPUT', 'send queries and mutations as POST /graphql'],
      [
        'a mutation',
        'mutation { cancelRun(input: {runId: "x"}) { errors { code } } }',
        'BAD_INPUT',
        'send queries and mutations as POST /graphql',
      ],
      ['what does not parse', 'subscription {', 'QUERY_INVALID', 'Syntax Error'],
      ['an unknown field', 'subscription { nothing }', 'QUERY_INVALID', 'Cannot query field'],
      [
        'two fields at once',
        'subscription { runsChanged { id } other: runsChanged { id } }',
        'QUERY_INVALID',
        'must select only one',
      ],
      [
        'a missing variable',
        'subscription ($id: ID!) { runProgress(id: $id) { seq } }',
        'QUERY_INVALID',
        'was not provided',
      ],
    ])('and refuses %s', async (_name, query, code, message) => {
      const errors = await refusalOrAnswer(query)
      expect(errors).toMatchObject([{ message: expect.stringContaining(message), extensions: { code } }])
    })

    /** graphql-ws answers some refusals as an `error` message and others as a `next` with errors only. */
    async function refusalOrAnswer(query: string) {
      const client = socketClient(api.url)
      try {
        const [answer] = await collect(client, query, {}, 1)
        return answer?.errors
      } catch (errors) {
        return errors
      } finally {
        await client.dispose()
      }
    }
  })

  describe('keeps the limits of operations', () => {
    const inRun = (selection: string) => `subscription { runsChanged { ${selection} } }`
    test.each([
      ['tokens', inRun('id '.repeat(2100))],
      ['depth', inRun(`${'model { runs { nodes { '.repeat(5)} id ${'} } }'.repeat(5)}`)],
      ['aliases', inRun(Array.from({ length: 31 }, (_value, at) => `a${at}: id`).join(' '))],
      ['fields', `subscription { runsChanged { ${'...F '.repeat(60)} } } fragment F on Run { ${'id '.repeat(20)} }`],
      [
        'cost',
        inRun('model { checkpoints(first: 100) { nodes { runs(first: 100) { nodes { metrics { value } } } } } }'),
      ],
    ])('%s', async (_name, query) => {
      expect((await refusalOf(query)).map(({ extensions }) => extensions.code)).toContain('QUERY_TOO_COMPLEX')
    })
    test('cost, with the page in a variable', async () => {
      const query =
        'subscription ($n: Int) { runsChanged { model { checkpoints(first: $n) { nodes { runs(first: $n) { nodes { metrics { value } } } } } } } }'
      expect(await refusalOf(query, { n: 100 })).toMatchObject([{ extensions: { code: 'QUERY_TOO_COMPLEX' } }])
    })
  })

  test('takes so many subscriptions for each connection, and more when one completes', async () => {
    const { say, messages, socket, closed, until } = await openAndInit()
    const subscribe = (id: string) =>
      say({
        id,
        type: 'subscribe',
        payload: { query: 'subscription ($id: ID!) { runProgress(id: $id) { kind } }', variables: { id: runId } },
      })
    for (const id of ['1', '2', '3', '4']) subscribe(id)
    expect(await until('error')).toMatchObject({ id: '4', payload: [{ extensions: { code: 'LIMIT_EXCEEDED' } }] })
    say({ id: '1', type: 'complete' })
    await sleep(50)
    subscribe('5')
    for (let tries = 0; tries < 100 && !messages.some(({ id }) => id === '5'); tries++) await sleep(20)
    expect(messages.filter(({ id }) => id === '5')).toMatchObject([
      { type: 'next', payload: { data: { runProgress: { kind: 'SNAPSHOT' } } } },
    ])
    socket.close()
    await closed
  })

  describe('closes a connection', () => {
    test('that speaks no protocol (4400)', async () => {
      const { say, closed } = await open()
      say('hello')
      expect(await closed).toMatchObject({ code: 4400 })
    })
    test('that subscribes before it is acknowledged (4401)', async () => {
      const { say, closed } = await open()
      say({ id: '1', type: 'subscribe', payload: { query: 'subscription { runsChanged { id } }' } })
      expect(await closed).toMatchObject({ code: 4401 })
    })
    test('that sends a message over the limit (1009)', async () => {
      const { say, closed } = await openAndInit()
      say({
        id: '1',
        type: 'subscribe',
        payload: { query: `subscription { runsChanged { id } } # ${'x'.repeat(1_000_001)}` },
      })
      expect(await closed).toMatchObject({ code: 1009 })
    })
    test('that does not answer pings', async () => {
      const { socket, closed } = await openAndInit()
      // A client that is there and reads, but whose pongs never come.
      socket.pong = () => undefined
      Object.assign(socket, { _autoPong: false })
      expect(await Promise.race([closed, sleep(5_000, 'never', { ref: false })])).toMatchObject({ code: 1006 })
    })
    test('that asks and does not read', async () => {
      const { socket, closed, say } = await openAndInit()
      socket.pause()
      const message = JSON.stringify({ type: 'ping', payload: { padding: 'x'.repeat(100_000) } })
      let sent = 0
      const flood = setInterval(() => {
        if (socket.readyState !== WebSocket.OPEN) return
        for (let at = 0; at < 20; at++) say(message)
        sent += 20
      }, 5)
      const cut = await Promise.race([
        once(socket, 'error').catch(() => null),
        closed,
        sleep(15_000, 'never', { ref: false }),
      ])
      clearInterval(flood)
      socket.resume()
      expect(cut).not.toBe('never')
      await closed
      expect(sent).toBeGreaterThan(5)
    })
  })

  test('stays open for a client that answers pings, however long it is silent', async () => {
    const { socket, messages } = await openAndInit()
    let pings = 0
    socket.on('ping', () => pings++)
    await sleep(1_500)
    expect(socket.readyState).toBe(WebSocket.OPEN)
    expect(pings).toBeGreaterThanOrEqual(3)
    expect(messages.map(({ type }) => type)).toEqual(['connection_ack'])
    socket.close()
  })

  test('and HTTP go on working after all of this', async () => {
    expect((await graphql(api.url, '{ __typename }')).data).toEqual({ __typename: 'Query' })
    const client = socketClient(api.url)
    expect(
      await collect(client, 'subscription ($id: ID!) { runProgress(id: $id) { kind status } }', { id: runId }, 1),
    ).toEqual([{ data: { runProgress: { kind: 'SNAPSHOT', status: 'QUEUED' } } }])
    await client.dispose()
    expect(api.log.filter(({ level }) => level >= 50)).toEqual([])
  })
})
