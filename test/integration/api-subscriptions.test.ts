import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { encodeId } from '../../src/api/object-id.ts'
import { collect, socketClient, type Item } from './api/client.ts'
import { rowWriter } from './api/rows.ts'
import { startTestApi, type TestApi } from './api/server.ts'

const WATCH = `subscription ($id: ID!, $after: Int) {
  runProgress(id: $id, after: $after) { seq kind status progress { samples total f1 } log { level message } }
}`

interface Event {
  readonly seq: number
  readonly kind: string
  readonly status: string
  readonly progress: { readonly samples: number } | null
  readonly log: { readonly message: string } | null
}

const eventsOf = (items: readonly Item[]) => items.map(({ data }) => data!['runProgress'] as Event)

describe('subscriptions', () => {
  let api: TestApi
  let write: ReturnType<typeof rowWriter>
  beforeAll(async () => {
    api = await startTestApi()
    write = rowWriter(api.store.prisma)
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
  })

  async function queuedRun() {
    const model = await write.model()
    const row = await write.run(await write.checkpoint(model.id), (await write.dataset()).id)
    return { uuid: row.id, id: encodeId('Run', row.id), modelId: encodeId('Model', model.id) }
  }

  /** What a worker's use cases do to a run, one transaction each. */
  const life = (uuid: string) => {
    const { prisma, events } = api.store
    return {
      status: (status: 'RUNNING' | 'SUCCEEDED' | 'FAILED') =>
        prisma.$transaction(async (tx) => {
          await tx.run.update({
            where: { id: uuid },
            data: { status, finishedAt: status === 'RUNNING' ? null : new Date() },
          })
          if (status === 'SUCCEEDED')
            await tx.metric.create({ data: { runId: uuid, position: 0, name: 'accuracy', value: 0.75 } })
          return events.append(tx, uuid, 'STATUS', { status })
        }),
      progress: (samples: number) =>
        prisma.$transaction(async (tx) => {
          const progress = {
            samples,
            total: 5,
            samplesPerSecond: 1,
            etaSeconds: null,
            loss: null,
            accuracy: null,
            precision: null,
            recall: null,
            f1: 0.5,
          }
          await tx.run.update({ where: { id: uuid }, data: { samples: BigInt(samples), progress } })
          return events.append(tx, uuid, 'PROGRESS', progress)
        }),
      log: (message: string) => prisma.$transaction((tx) => events.append(tx, uuid, 'LOG', { level: 'info', message })),
    }
  }

  async function wholeLife(uuid: string, pause = 0) {
    const run = life(uuid)
    await run.status('RUNNING')
    for (let samples = 1; samples <= 5; samples++) {
      await run.progress(samples)
      if (pause > 0) await sleep(pause)
    }
    await run.log('done')
    await run.status('SUCCEEDED')
  }

  /** Ends the connection that listens for events, again and again. */
  async function killListener(times: number, pauseMs: number) {
    for (let at = 0; at < times; at++) {
      await sleep(pauseMs)
      await api.store.prisma.$queryRaw`
        select pg_terminate_backend(pid)::text from pg_stat_activity
        where application_name = 'nograd listener' and datname = current_database()`
    }
  }

  test('an early subscriber gets the state, then every event in order, then the end', async () => {
    const { uuid, id } = await queuedRun()
    const client = socketClient(api.url)
    const begun = signal()
    const watching = collect(client, WATCH, { id }, Infinity, begun.set)
    await begun
    await wholeLife(uuid)
    const events = eventsOf(await watching)
    expect(events.map(({ seq, kind, status }) => [seq, kind, status])).toEqual([
      [0, 'SNAPSHOT', 'QUEUED'],
      [1, 'STATUS', 'RUNNING'],
      ...[2, 3, 4, 5, 6].map((seq) => [seq, 'PROGRESS', 'RUNNING']),
      [7, 'LOG', 'RUNNING'],
      [8, 'STATUS', 'SUCCEEDED'],
    ])
    expect(events.filter(({ kind }) => kind === 'PROGRESS').map(({ progress }) => progress)).toEqual(
      [1, 2, 3, 4, 5].map((samples) => ({ samples, total: 5, f1: 0.5 })),
    )
    expect(events[7]!.log).toEqual({ level: 'info', message: 'done' })
    await client.dispose()
  })

  test('a subscriber of a run that has ended gets its state and the end', async () => {
    const { uuid, id } = await queuedRun()
    await wholeLife(uuid)
    const client = socketClient(api.url)
    const [last, ...more] = eventsOf(await collect(client, WATCH, { id }))
    expect([last, more]).toMatchObject([
      { seq: 8, kind: 'SNAPSHOT', status: 'SUCCEEDED', progress: { samples: 5 } },
      [],
    ])
    // And so does one that has seen all of it already.
    expect((await collect(client, WATCH, { id, after: 8 })).length).toBeLessThanOrEqual(1)
    expect(eventsOf(await collect(client, WATCH, { id, after: 6 })).map(({ seq }) => seq)).toEqual([7, 8])
    await client.dispose()
  })

  test('a subscriber that comes back with the last number it saw misses nothing and gets nothing twice', async () => {
    const { uuid, id } = await queuedRun()
    const seen: number[] = []
    const living = wholeLife(uuid, 60)
    for (let after: number | null = null; ;) {
      // A new connection each time, that ends after a few events.
      const client = socketClient(api.url)
      const events = eventsOf(await collect(client, WATCH, { id, after }, 2))
      await client.dispose()
      seen.push(...events.map(({ seq }) => seq))
      after = seen.at(-1)!
      if (events.at(-1)!.status === 'SUCCEEDED') break
    }
    await living
    const first = seen[0]!
    expect(seen).toEqual(Array.from({ length: 9 - first }, (_value, at) => first + at))
  })

  test('the final event brings the metrics, and each event the run as it is then', async () => {
    const { uuid, id } = await queuedRun()
    const client = socketClient(api.url)
    const events = client.iterate({
      query: `subscription ($id: ID!) {
        runProgress(id: $id) { kind run { status samples metrics { name value } model { name } } }
      }`,
      variables: { id },
    })
    const next = async () => {
      const { value } = (await events.next()) as { value: Item }
      return value.data!['runProgress'] as { run: { status: string; samples: number; metrics: unknown } }
    }
    expect(await next()).toMatchObject({ kind: 'SNAPSHOT', run: { status: 'QUEUED', samples: 0, metrics: [] } })
    await life(uuid).status('RUNNING')
    expect(await next()).toMatchObject({ kind: 'STATUS', run: { status: 'RUNNING', samples: 0, metrics: [] } })
    await life(uuid).progress(3)
    expect(await next()).toMatchObject({ kind: 'PROGRESS', run: { status: 'RUNNING', samples: 3, metrics: [] } })
    await life(uuid).status('SUCCEEDED')
    expect(await next()).toMatchObject({ run: { status: 'SUCCEEDED', metrics: [{ name: 'accuracy', value: 0.75 }] } })
    expect(await events.next()).toMatchObject({ done: true })
    await client.dispose()
  })

  test('what an event asks of the database is asked once for all its subscribers', async () => {
    const { uuid, id } = await queuedRun()
    const client = socketClient(api.url)
    const query = 'subscription ($id: ID!) { runProgress(id: $id) { seq run { status model { name } } } }'
    const begun = Array.from({ length: 50 }, () => signal())
    const all = begun.map(({ set }) => collect(client, query, { id }, 2, set))
    await Promise.all(begun)
    const before = api.statements.length
    await life(uuid).status('RUNNING')
    for (const items of await Promise.all(all))
      expect(items[1]).toMatchObject({ data: { runProgress: { seq: 1, run: { status: 'RUNNING' } } } })
    // The update, the event, its reading, and one query each for the run and its model; not fifty.
    expect(api.statements.slice(before).filter((sql) => sql.includes('"Model"')).length).toBeLessThan(10)
    await client.dispose()
  })

  test('subscribers that join at random get gapless events up to the end, though the listening connection is killed', async () => {
    const { uuid, id } = await queuedRun()
    const clients = Array.from({ length: 20 }, () => socketClient(api.url))
    const living = wholeLife(uuid, 60)
    const killing = killListener(5, 100)
    const all = await Promise.all(
      clients.map(async (client) => {
        await sleep(Math.random() * 500)
        return eventsOf(await collect(client, WATCH, { id })).map(({ seq }) => seq)
      }),
    )
    await Promise.all([living, killing])
    for (const seqs of all) {
      expect(seqs.at(-1)).toBe(8)
      expect(seqs).toEqual(seqs.map((_seq, at) => seqs[0]! + at))
    }
    await Promise.all(clients.map(async (client) => client.dispose()))
  })

  test('an unknown run, a wrong id and a negative number are refused with a code', async () => {
    const client = socketClient(api.url)
    for (const [variables, code] of [
      [{ id: 'run_01890a5d-ac96-774b-bcce-b302099a8057' }, 'NOT_FOUND'],
      [{ id: 'mdl_01890a5d-ac96-774b-bcce-b302099a8057' }, 'NOT_FOUND'],
      [{ id: '?' }, 'NOT_FOUND'],
      [{ id: (await queuedRun()).id, after: -1 }, 'BAD_INPUT'],
    ] as const) {
      const items = await collect(client, WATCH, variables)
      expect(items).toMatchObject([{ errors: [{ extensions: { code } }] }])
    }
    const items = await collect(
      client,
      'subscription { runsChanged(modelId: "mdl_01890a5d-ac96-774b-bcce-b302099a8057") { id } }',
    )
    expect(items).toMatchObject([{ errors: [{ extensions: { code: 'NOT_FOUND' }, path: ['runsChanged'] }] }])
    await client.dispose()
  })

  test('what nobody expected is masked and logged with an id', async () => {
    const { uuid, id } = await queuedRun()
    // More than a SafeInt can say.
    await api.store.prisma.$executeRaw`
      update "Architecture" set "parameterCount" = ${2n ** 60n}
      where id = (select "architectureId" from "Model" where id = (select "modelId" from "Run" where id = ${uuid}::uuid))`
    await life(uuid).status('FAILED')
    const client = socketClient(api.url)
    const items = await collect(
      client,
      'subscription ($id: ID!) { runProgress(id: $id, after: 0) { seq run { model { architecture { parameterCount } } } } }',
      { id },
    )
    const [error] = items[0]!.errors!
    expect(error).toMatchObject({
      message: expect.stringMatching(/^Something failed on the server; the log has it under the id [0-9a-f-]{36}\.$/),
      extensions: { code: 'INTERNAL', id: expect.any(String) },
    })
    expect(api.log.find(({ errorId }) => errorId === error!.extensions!['id'])).toMatchObject({
      err: { message: expect.stringContaining('SafeInt') },
    })
    await client.dispose()
  })

  test('runsChanged tells of every change of status, of one model or of all', async () => {
    const one = await queuedRun()
    const other = await queuedRun()
    const client = socketClient(api.url)
    const query = 'subscription ($modelId: ID) { runsChanged(modelId: $modelId) { id status } }'
    const begun = [signal(), signal()] as const
    const ofOne = collect(client, query, { modelId: one.modelId }, Infinity, begun[0].set)
    const ofAll = collect(client, query, {}, Infinity, begun[1].set)
    // Nothing says when a subscription without a first state has begun: changes go on until both have seen one.
    const changing = setInterval(() => void life(one.uuid).status('RUNNING'), 50)
    await Promise.all(begun)
    clearInterval(changing)
    for (const { uuid } of [other, one]) {
      await life(uuid).status('RUNNING')
      await sleep(300)
      await life(uuid).status('FAILED')
      await sleep(300)
    }
    await client.dispose()
    const changes = async (items: Promise<Item[]>) =>
      (await items)
        .map(({ data }) => data!['runsChanged'])
        .filter((change, at, all) => JSON.stringify(change) !== JSON.stringify(all[at - 1]))
    expect(await changes(ofOne)).toEqual([
      { id: one.id, status: 'RUNNING' },
      { id: one.id, status: 'FAILED' },
    ])
    expect(await changes(ofAll)).toEqual([
      { id: one.id, status: 'RUNNING' },
      { id: other.id, status: 'RUNNING' },
      { id: other.id, status: 'FAILED' },
      { id: one.id, status: 'RUNNING' },
      { id: one.id, status: 'FAILED' },
    ])
  })

  test('a client that leaves ends its subscription at once: nothing is read for it any more', async () => {
    const { uuid, id } = await queuedRun()
    const client = socketClient(api.url)
    await collect(client, WATCH, { id }, 1)
    await client.dispose()
    await sleep(300)
    const before = api.statements.length
    await life(uuid).log('into the void')
    await sleep(300)
    const reads = api.statements.slice(before).filter((sql) => /^select/i.test(sql) && sql.includes('RunEvent'))
    expect(reads).toEqual([])
  })

  test('a client that does not read slows itself down, and the server keeps nothing for it', async () => {
    const { uuid, id } = await queuedRun()
    const socket = new WebSocket(`${api.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
    const received: number[] = []
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as { type: string; payload?: Item }
      if (message.type === 'next') received.push(...eventsOf([message.payload!]).map(({ seq }) => seq))
    })
    await once(socket, 'open')
    socket.send('{"type":"connection_init"}')
    await once(socket, 'message')
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: WATCH, variables: { id } } }))
    await once(socket, 'message')
    socket.pause()
    // 30 MB of log: far more than the buffers of both ends take.
    const line = 'x'.repeat(100_000)
    const before = process.memoryUsage()
    for (let at = 0; at < 300; at++) await life(uuid).log(line)
    globalThis.gc?.()
    await life(uuid).status('FAILED')
    await sleep(300)
    const grown =
      process.memoryUsage().external + process.memoryUsage().arrayBuffers - before.external - before.arrayBuffers
    expect(grown).toBeLessThan(20_000_000)
    expect(received.length).toBeLessThan(100)
    socket.resume()
    for (let tries = 0; tries < 500 && received.length < 302; tries++) await sleep(20)
    expect(received).toEqual(Array.from({ length: 302 }, (_value, at) => at))
    socket.close()
  })

  test('1,000 subscribers of one run all get all of it', async () => {
    const { uuid, id } = await queuedRun()
    const clients = Array.from({ length: 1_000 }, () => socketClient(api.url))
    const all = clients.map((client) =>
      collect(client, 'subscription ($id: ID!) { runProgress(id: $id) { seq status } }', { id }),
    )
    await sleep(3_000)
    await wholeLife(uuid, 100)
    for (const items of await Promise.all(all)) {
      const seqs = eventsOf(items).map(({ seq }) => seq)
      expect(seqs.at(-1)).toBe(8)
      expect(seqs).toEqual(seqs.map((_seq, at) => seqs[0]! + at))
    }
    await Promise.all(clients.map(async (client) => client.dispose()))
  }, 120_000)
})

/** A promise that is fulfilled from outside. */
function signal(): Promise<void> & { readonly set: () => void } {
  let set = (): void => undefined
  const promise = new Promise<void>((resolve) => {
    set = resolve
  })
  return Object.assign(promise, { set })
}
