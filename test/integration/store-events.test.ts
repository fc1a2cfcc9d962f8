import { randomInt, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import pg from 'pg'

import { openStore, type RunEventItem, type RunStatus, type Store } from '../../src/store/index.ts'
import { silent, startTestDatabase, type TestDatabase } from './database.ts'
import { createRun, createRunParents } from './run-rows.ts'

let database: TestDatabase
let stores: readonly [Store, Store]
let client: pg.Client
let parents: Awaited<ReturnType<typeof createRunParents>>

beforeAll(async () => {
  database = await startTestDatabase()
  const open = () => openStore({ databaseUrl: database.url, log: silent })
  // Two API processes, as far as the database can tell.
  stores = [await open(), await open()]
  client = new pg.Client({ connectionString: database.url })
  await client.connect()
  parents = await createRunParents(stores[0].prisma)
})
afterAll(async () => {
  await client.end()
  for (const store of stores) await store[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

async function append(runId: string, events: readonly ['STATUS' | 'PROGRESS' | 'LOG', object][]): Promise<void> {
  const store = stores[randomInt(2)]!
  await store.prisma.$transaction(async (tx) => {
    for (const [kind, payload] of events) {
      const status = (payload as { status?: RunStatus }).status
      const ended = status === 'SUCCEEDED' || status === 'FAILED' || status === 'CANCELLED'
      if (status) await tx.run.update({ where: { id: runId }, data: { status, finishedAt: ended ? new Date() : null } })
      if (kind === 'PROGRESS') await tx.run.update({ where: { id: runId }, data: { progress: payload } })
      await store.events.append(tx, runId, kind, payload)
    }
  })
}

async function collect(events: AsyncIterable<RunEventItem>, limit = Infinity): Promise<RunEventItem[]> {
  const items: RunEventItem[] = []
  if (limit === 0) return items
  for await (const item of events) {
    items.push(item)
    if (items.length >= limit) break
  }
  return items
}

/** Ends the connections that listen, and tells how many there were. */
async function killListeners(): Promise<number> {
  const { rowCount } = await client.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where application_name = 'nograd listener' and datname = current_database()`,
  )
  return rowCount ?? 0
}

describe('events of a run', () => {
  test('are numbered from 1 in the order of their commits, also when many write at once', async () => {
    const runId = await createRun(stores[0].prisma, parents)
    await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        append(runId, [
          ['LOG', { line: i }],
          ['LOG', { line: -i }],
        ]),
      ),
    )
    const events = await stores[0].prisma.runEvent.findMany({ where: { runId }, orderBy: { seq: 'asc' } })
    expect(events.map((event) => event.seq)).toEqual(Array.from({ length: 80 }, (_, i) => i + 1))
    const lines = events.map((event) => (event.payload as { line: number }).line)
    // Both events of a transaction stand together.
    for (let i = 0; i < 80; i += 2) expect(lines[i]! + lines[i + 1]!).toBe(0)
  })

  test('are not there when their transaction fails', async () => {
    const runId = await createRun(stores[0].prisma, parents)
    const failing = stores[0].prisma.$transaction(async (tx) => {
      await stores[0].events.append(tx, runId, 'LOG', {})
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    await append(runId, [['STATUS', { status: 'FAILED' }]])
    expect((await collect(stores[1].events.subscribe(runId, { after: 0 }))).map((item) => item.seq)).toEqual([1])
  })

  test('need a run', async () => {
    await expect(append(randomUUID(), [['LOG', {}]])).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(collect(stores[0].events.subscribe(randomUUID()))).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('keep every string that a log can hold', async () => {
    const runId = await createRun(stores[0].prisma, parents)
    const message = 'nul \u0000, half a pair \ud800, quotes \' " \\ and \u{1f600}'
    await append(runId, [
      ['LOG', { level: 'info', message }],
      ['STATUS', { status: 'FAILED' }],
    ])
    const [log] = await collect(stores[0].events.subscribe(runId, { after: 0 }))
    expect(log).toMatchObject({
      kind: 'LOG',
      seq: 1,
      status: 'QUEUED',
      progress: null,
      log: { level: 'info', message },
    })
  })
})

describe('a subscriber', () => {
  test('of a run that goes on gets its state, every later event with the status after it, and the end', async () => {
    const runId = await createRun(stores[0].prisma, parents)
    await append(runId, [['STATUS', { status: 'QUEUED' }]])
    const received = collect(stores[1].events.subscribe(runId))
    await delay(100)
    await append(runId, [['STATUS', { status: 'RUNNING' }]])
    await append(runId, [['PROGRESS', { samples: 5 }]])
    await append(runId, [['LOG', { message: 'x' }]])
    await append(runId, [['STATUS', { status: 'SUCCEEDED' }]])
    const at = expect.any(Date)
    expect(await received).toEqual([
      { kind: 'SNAPSHOT', seq: 1, at, status: 'QUEUED', progress: null, log: null },
      { kind: 'STATUS', seq: 2, at, status: 'RUNNING', progress: null, log: null },
      { kind: 'PROGRESS', seq: 3, at, status: 'RUNNING', progress: { samples: 5 }, log: null },
      { kind: 'LOG', seq: 4, at, status: 'RUNNING', progress: null, log: { message: 'x' } },
      { kind: 'STATUS', seq: 5, at, status: 'SUCCEEDED', progress: null, log: null },
    ])
  })

  test('of a run that has ended gets its last state and the end, or what is behind its number', async () => {
    const runId = await createRun(stores[0].prisma, parents)
    await append(runId, [
      ['STATUS', { status: 'RUNNING' }],
      ['PROGRESS', { samples: 7 }],
      ['STATUS', { status: 'CANCELLED' }],
    ])
    const subscribe = (after?: number) =>
      collect(stores[0].events.subscribe(runId, after === undefined ? {} : { after })).then((items) =>
        items.map(({ kind, seq, status }) => [kind, seq, status]),
      )
    expect(await subscribe()).toEqual([['SNAPSHOT', 3, 'CANCELLED']])
    expect(await subscribe(0)).toEqual([
      ['STATUS', 1, 'RUNNING'],
      ['PROGRESS', 2, 'RUNNING'],
      ['STATUS', 3, 'CANCELLED'],
    ])
    expect(await subscribe(1)).toEqual([
      ['PROGRESS', 2, 'RUNNING'],
      ['STATUS', 3, 'CANCELLED'],
    ])
    expect(await subscribe(3)).toEqual([])
    expect(await subscribe(99)).toEqual([])
    const [snapshot] = await collect(stores[0].events.subscribe(runId.toUpperCase()))
    expect(snapshot).toMatchObject({ progress: { samples: 7 } })
  })

  test('ends at once when its signal is aborted', async () => {
    const runId = await createRun(stores[0].prisma, parents)
    const abort = new AbortController()
    const received = collect(stores[0].events.subscribe(runId, { signal: abort.signal }))
    await delay(50)
    const aborted = performance.now()
    abort.abort()
    expect(await received).toHaveLength(1)
    expect(performance.now() - aborted).toBeLessThan(1_000)
  })

  test('hears of an event within milliseconds', async () => {
    const runId = await createRun(stores[0].prisma, parents)
    const latencies: number[] = []
    const sent = new Map<number, number>()
    const reader = (async () => {
      for await (const { kind, seq } of stores[1].events.subscribe(runId))
        if (kind === 'LOG') latencies.push(performance.now() - sent.get(seq)!)
    })()
    await delay(100)
    for (let seq = 1; seq <= 50; seq++) {
      sent.set(seq, performance.now())
      await append(runId, [['LOG', { seq }]])
      await delay(5)
    }
    await append(runId, [['STATUS', { status: 'SUCCEEDED' }]])
    await reader
    expect(latencies).toHaveLength(50)
    // Far below the five seconds after which the table is asked anyway.
    expect(latencies.sort((a, b) => a - b)[25]).toBeLessThan(500)
  })

  test('costs the database nothing when many follow one run', async () => {
    const statements: string[] = []
    await using counted = await openStore({
      databaseUrl: database.url,
      log: silent,
      onQuery: (sql) => statements.push(sql),
    })
    const runId = await createRun(stores[0].prisma, parents)
    let joined = 0
    const follow = async () => {
      let items = 0
      for await (const { kind } of counted.events.subscribe(runId)) {
        items++
        if (kind === 'SNAPSHOT') joined++
      }
      return items
    }
    const received = Array.from({ length: 200 }, follow)
    while (joined < 200) await delay(20)
    statements.length = 0
    for (let i = 0; i < 20; i++) {
      await append(runId, [['LOG', { i }]])
      await delay(20)
    }
    await append(runId, [['STATUS', { status: 'SUCCEEDED' }]])
    expect(await Promise.all(received)).toEqual(Array(200).fill(22))
    expect(statements.length).toBeLessThan(100)
  })
})

test('subscribers that come and go at random miss nothing and get nothing twice while the listening connections are killed', async () => {
  const RUNS = 8
  const EVENTS = 60
  const SUBSCRIBERS = 320
  const runIds = await Promise.all(Array.from({ length: RUNS }, () => createRun(stores[0].prisma, parents)))
  let working = true
  let killed = 0
  const killer = (async () => {
    while (working) {
      killed += await killListeners()
      await delay(randomInt(5, 60))
    }
  })()
  const writers = runIds.map(async (runId, i) => {
    await append(runId, [['STATUS', { status: 'RUNNING' }]])
    for (let written = 1; written < EVENTS;) {
      const count = Math.min(randomInt(1, 4), EVENTS - written)
      written += count
      await append(
        runId,
        Array.from({ length: count }, (_, n) => [n % 2 ? 'LOG' : 'PROGRESS', { run: i, n }]),
      )
      await delay(randomInt(0, 40))
    }
    await append(runId, [['STATUS', { status: i % 2 ? 'SUCCEEDED' : 'FAILED' }]])
  })
  /** Follows a run to its end, leaving and coming back with the last number any number of times. */
  const follow = async (): Promise<void> => {
    await delay(randomInt(0, 2_500))
    const runId = runIds[randomInt(RUNS)]!
    let last: number | undefined = randomInt(3) === 0 ? 0 : undefined
    const first = last
    const seen: number[] = []
    let status: RunStatus | undefined
    while (status !== 'SUCCEEDED' && status !== 'FAILED') {
      const events = stores[randomInt(2)]!.events.subscribe(runId, last === undefined ? {} : { after: last })
      const items = await collect(events, randomInt(2) === 0 ? randomInt(1, 20) : Infinity)
      for (const item of items) {
        if (item.kind === 'SNAPSHOT') expect(seen).toEqual([])
        seen.push(item.seq)
        ;({ status, seq: last } = item)
      }
    }
    const from = first === 0 ? 1 : seen[0]!
    expect(seen).toEqual(Array.from({ length: EVENTS + 1 - from + 1 }, (_, i) => from + i))
  }
  const subscribers = Array.from({ length: SUBSCRIBERS }, follow)
  await Promise.all([...writers, ...subscribers])
  working = false
  await killer
  expect(killed).toBeGreaterThan(10)
}, 120_000)

test('followers end when their store is closed', async () => {
  const closing = await openStore({ databaseUrl: database.url, log: silent })
  const runId = await createRun(stores[0].prisma, parents)
  const received = collect(closing.events.subscribe(runId))
  await delay(100)
  await closing[Symbol.asyncDispose]()
  expect(await received).toHaveLength(1)
})

describe('changes', () => {
  test('name the runs that were created or changed their status, of one model or of all', async () => {
    const other = await createRunParents(stores[0].prisma)
    const abort = new AbortController()
    const all = stores[1].events.changes({ signal: abort.signal })
    const ofOther = stores[1].events.changes({ modelId: other.modelId, signal: abort.signal })
    const [mine, theirs] = [await createRun(stores[0].prisma, parents), await createRun(stores[0].prisma, other)]
    await append(mine, [['STATUS', { status: 'QUEUED' }]])
    await append(mine, [['LOG', { message: 'no change' }]])
    expect((await all.next()).value).toBe(mine)
    await append(theirs, [['STATUS', { status: 'RUNNING' }]])
    expect((await all.next()).value).toBe(theirs)
    expect((await ofOther.next()).value).toBe(theirs)
    const pending = ofOther.next()
    abort.abort()
    expect((await pending).done).toBe(true)
    expect((await all.next()).done).toBe(true)
  })

  test('are not lost with the listening connection', async () => {
    const changes = stores[0].events.changes()
    const runIds = new Set<string>()
    for (let i = 0; i < 10; i++) {
      await killListeners()
      const runId = await createRun(stores[0].prisma, parents)
      await append(runId, [['STATUS', { status: 'QUEUED' }]])
      runIds.add(runId)
    }
    while (runIds.size > 0) runIds.delete((await changes.next()).value as string)
    await changes.return?.()
    expect((await changes.next()).done).toBe(true)
  })
})

// Last: it breaks the connections of the other stores too.
test('a store that is closed while it connects again closes', async () => {
  for (let i = 0; i < 30; i++) {
    const store = await openStore({ databaseUrl: database.url, log: silent })
    await killListeners()
    await delay(i)
    await store[Symbol.asyncDispose]()
  }
})
