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

  test('an early subscriber gets the state, then every event in order, then the end', async () => {
    const { uuid, id } = await queuedRun()
    const client = socketClient(api.url)
    const watching = collect(client, WATCH, { id })
    await sleep(200)
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
    const watching = collect(
      client,
      'subscription ($id: ID!) { runProgress(id: $id) { kind run { status samples metrics { name value } model { name } } } }',
      { id },
    )
    await sleep(200)
    await life(uuid).status('RUNNING')
    await sleep(100)
    await life(uuid).progress(3)
    await sleep(100)
    await life(uuid).status('SUCCEEDED')
    const runs = (await watching).map(
      ({ data }) => (data!['runProgress'] as { run: { status: string; samples: number; metrics: unknown } }).run,
    )
    expect(runs.map(({ status, samples }) => [status, samples])).toEqual([
      ['QUEUED', 0],
      ['RUNNING', 0],
      ['RUNNING', 3],
      ['SUCCEEDED', 3],
    ])
    expect(runs.at(-1)!.metrics).toEqual([{ name: 'accuracy', value: 0.75 }])
    await client.dispose()
  })

  test('subscribers that join at random get gapless events up to the end', async () => {
    const { uuid, id } = await queuedRun()
    const clients = Array.from({ length: 20 }, () => socketClient(api.url))
    const living = wholeLife(uuid, 30)
    const all = await Promise.all(
      clients.map(async (client) => {
        await sleep(Math.random() * 300)
        return eventsOf(await collect(client, WATCH, { id })).map(({ seq }) => seq)
      }),
    )
    await living
    for (const seqs of all) {
      expect(seqs.at(-1)).toBe(8)
      expect(seqs).toEqual(seqs.map((_seq, at) => seqs[0]! + at))
    }
    await Promise.all(clients.map((client) => client.dispose()))
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

  test('runsChanged tells of every change of status, of one model or of all', async () => {
    const one = await queuedRun()
    const other = await queuedRun()
    const client = socketClient(api.url)
    const query = 'subscription ($modelId: ID) { runsChanged(modelId: $modelId) { id status } }'
    const ofOne = collect(client, query, { modelId: one.modelId }, 2)
    const ofAll = collect(client, query, {}, 4)
    await sleep(300)
    for (const { uuid } of [other, one]) {
      await life(uuid).status('RUNNING')
      await sleep(150)
      await life(uuid).status('FAILED')
      await sleep(150)
    }
    const changes = (items: Item[]) => items.map(({ data }) => data!['runsChanged'])
    expect(changes(await ofOne)).toEqual([
      { id: one.id, status: 'RUNNING' },
      { id: one.id, status: 'FAILED' },
    ])
    expect(changes(await ofAll)).toEqual([
      { id: other.id, status: 'RUNNING' },
      { id: other.id, status: 'FAILED' },
      { id: one.id, status: 'RUNNING' },
      { id: one.id, status: 'FAILED' },
    ])
    await client.dispose()
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
    await Promise.all(clients.map((client) => client.dispose()))
  }, 120_000)
})
