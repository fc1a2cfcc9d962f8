import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import pg from 'pg'

import {
  openStore,
  ShardStopped,
  type LostShard,
  type RegisteredWorker,
  type ShardJob,
  type Store,
} from '../../src/store/index.ts'
import { silent, startTestDatabase, type TestDatabase } from './database.ts'
import { createRun, createRunParents } from './run-rows.ts'

let database: TestDatabase
let store: Store
let client: pg.Client
let parents: Awaited<ReturnType<typeof createRunParents>>
let worker: RegisteredWorker
const processes: ChildProcess[] = []

beforeAll(async () => {
  database = await startTestDatabase()
  store = await openStore({ databaseUrl: database.url, log: silent })
  client = new pg.Client({ connectionString: database.url })
  await client.connect()
  parents = await createRunParents(store.prisma)
})
beforeEach(async () => {
  worker = await store.workers.register({ hostname: 'here', pid: process.pid, devices: [{ engine: 'none' }] })
})
afterEach(async () => {
  for (const child of processes.splice(0)) await kill(child)
  await worker[Symbol.asyncDispose]()
  // A run that is left over would hand its shards to the next test.
  for (const { id } of await store.prisma.run.findMany({ where: { status: 'QUEUED' } })) await stopRun(id)
})
afterAll(async () => {
  await client.end()
  await store[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

/** A run with its shards in the queue. */
async function queueRun(shards = 1): Promise<string> {
  const runId = await createRun(store.prisma, parents, shards)
  await store.prisma.$transaction((tx) =>
    store.queue.enqueue(
      tx,
      Array.from({ length: shards }, (_, shard) => ({ runId, shard })),
    ),
  )
  return runId
}

async function stopRun(runId: string): Promise<void> {
  await store.prisma.$transaction(async (tx) => {
    await tx.run.update({ where: { id: runId }, data: { status: 'CANCELLED', finishedAt: new Date() } })
    await store.queue.cancel(tx, runId)
  })
}

/** Watches while something happens; the shards that were lost meanwhile. Their runs are ended, as the platform does it. */
async function watching(body: (lost: readonly LostShard[]) => Promise<void>): Promise<void> {
  const lost: LostShard[] = []
  const watch = store.queue.watch({
    onLost: async (shard) => {
      lost.push(shard)
      await stopRun(shard.runId)
    },
  })
  try {
    await body(lost)
  } finally {
    await watch[Symbol.asyncDispose]()
  }
}

/** Jobs as they were claimed, one after the other; each is held until it is let go. */
function holdJobs(workerId = worker.id) {
  const claimed: (ShardJob & { finish(error?: Error): void })[] = []
  const working = store.queue.work({
    workerId,
    onJob: (job) =>
      new Promise<void>((resolve, reject) => {
        job.signal.addEventListener('abort', () => reject(job.signal.reason as Error))
        claimed.push({ ...job, finish: (error) => (error ? reject(error) : resolve()) })
      }),
  })
  return { claimed, [Symbol.asyncDispose]: () => working[Symbol.asyncDispose]() }
}

async function until<T>(
  what: string,
  find: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  limitMs = 10_000,
): Promise<T> {
  const deadline = performance.now() + limitMs
  for (;;) {
    const found = await find()
    if (found) return found
    if (performance.now() > deadline) throw new Error(`${what} did not happen in ${limitMs} ms`)
    await delay(10)
  }
}

const jobState = async (runId: string, shard = 0) => {
  const { rows } = await client.query<{ state: string }>(
    `select state from pgboss.job where data ->> 'runId' = $1 and (data ->> 'shard')::int = $2`,
    [runId, shard],
  )
  return rows[0]?.state
}

async function startProcess(): Promise<{ child: ChildProcess; lines: string[] }> {
  const script = fileURLToPath(new URL('shard-worker.mjs', import.meta.url))
  const child = spawn(process.execPath, [script, database.url], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  processes.push(child)
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  await until('the start of a worker process', () => lines.includes('ready'), 30_000)
  return { child, lines }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

describe('the queue', () => {
  test('hands out each shard once, to whoever asks, as soon as its transaction commits', async () => {
    await using first = holdJobs()
    const other = await store.workers.register({ hostname: 'there', pid: 2, devices: [] })
    await using second = holdJobs(other.id)
    await delay(50)
    const runId = await createRun(store.prisma, parents, 2)
    await store.prisma.$transaction(async (tx) => {
      await store.queue.enqueue(tx, { runId, shard: 0 })
      await store.queue.enqueue(tx, { runId, shard: 1 })
      await delay(200)
      expect([...first.claimed, ...second.claimed]).toEqual([])
    })
    const committed = performance.now()
    await until('both claims', () => first.claimed.length === 1 && second.claimed.length === 1)
    expect(performance.now() - committed).toBeLessThan(1_500)
    const jobs = [first.claimed[0]!, second.claimed[0]!]
    expect(jobs.map((job) => job.shard).sort()).toEqual([0, 1])
    expect(jobs.map((job) => job.retryCount)).toEqual([0, 0])
    const shards = await store.prisma.shard.findMany({ where: { runId }, orderBy: { index: 'asc' } })
    const claimant = (shard: number) => (first.claimed[0]!.shard === shard ? worker.id : other.id)
    expect(shards.map((shard) => shard.workerId)).toEqual([claimant(0), claimant(1)])
    for (const job of jobs) job.finish()
    await until(
      'the end of both jobs',
      async () => (await jobState(runId)) === 'completed' && (await jobState(runId, 1)) === 'completed',
    )
    await other[Symbol.asyncDispose]()
  })

  test('works off a backlog without waiting, one shard at a time', async () => {
    const runId = await queueRun(60)
    let running = 0
    const done: number[] = []
    const started = performance.now()
    const working = store.queue.work({
      workerId: worker.id,
      onJob: async ({ shard }) => {
        expect(++running).toBe(1)
        await delay(1)
        running--
        done.push(shard)
      },
    })
    await until('the end of the backlog', () => done.length === 60, 30_000)
    expect([...new Set(done)]).toHaveLength(60)
    expect(performance.now() - started).toBeLessThan(15_000)
    await until('the end of the last job', async () => (await jobState(runId, done.at(-1))) === 'completed')
    await working[Symbol.asyncDispose]()
  })

  test('knows nothing of a transaction that failed', async () => {
    const runId = await createRun(store.prisma, parents)
    const failing = store.prisma.$transaction(async (tx) => {
      await store.queue.enqueue(tx, { runId, shard: 0 })
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await jobState(runId)).toBeUndefined()
  })

  test('completes a job together with its result, or not at all', async () => {
    const runId = await queueRun()
    await using held = holdJobs()
    const job = await until('the claim', () => held.claimed[0])
    const failing = store.prisma.$transaction(async (tx) => {
      expect(await job.complete(tx)).toBe(true)
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await jobState(runId)).toBe('active')
    expect(await store.prisma.$transaction((tx) => job.complete(tx))).toBe(true)
    expect(await jobState(runId)).toBe('completed')
    expect(await store.prisma.$transaction((tx) => job.complete(tx))).toBe(false)
    job.finish()
  })

  test('tries a shard that fails twice more, and then gives it up', async () => {
    const runId = await queueRun()
    const tries: number[] = []
    const working = store.queue.work({
      workerId: worker.id,
      onJob: ({ retryCount }) => {
        tries.push(retryCount)
        return Promise.reject(new Error(`try ${retryCount}`))
      },
    })
    await watching(async (lost) => {
      await until('giving up', () => lost.length > 0)
      expect(tries).toEqual([0, 1, 2])
      expect(lost[0]).toEqual({ runId, shard: 0, code: 'INTERNAL', message: 'try 2' })
      await delay(1_500)
      expect(lost).toHaveLength(1)
    })
    await working[Symbol.asyncDispose]()
  })

  test('stops a run within a second: what is worked on, and what waits', async () => {
    const runId = await queueRun(3)
    await using held = holdJobs()
    const job = await until('the claim', () => held.claimed[0])
    const stopped = performance.now()
    await stopRun(runId)
    await until('the stop', () => job.signal.aborted, 1_000)
    expect(performance.now() - stopped).toBeLessThan(1_000)
    expect(job.signal.reason).toBeInstanceOf(ShardStopped)
    expect((job.signal.reason as ShardStopped).why).toBe('RUN_STOPPED')
    await delay(300)
    expect(held.claimed).toHaveLength(1)
    for (const shard of [0, 1, 2]) expect(await jobState(runId, shard)).toBe('cancelled')
    expect(await store.prisma.$transaction((tx) => job.complete(tx))).toBe(false)
  })

  test('stops a run also when the notification is lost', async () => {
    const runId = await queueRun()
    await using held = holdJobs()
    const job = await until('the claim', () => held.claimed[0])
    await client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'nograd listener' and datname = current_database()`,
    )
    await stopRun(runId)
    await until('the stop', () => job.signal.aborted, 5_000)
  })

  test('takes a shard back from a worker that stops, at once and without using up a try', async () => {
    const runId = await queueRun()
    for (let stops = 0; stops < 4; stops++) {
      const held = holdJobs()
      const job = await until('the claim', () => held.claimed[0], 1_900)
      expect(job.runId).toBe(runId)
      await held[Symbol.asyncDispose]()
      expect((job.signal.reason as ShardStopped).why).toBe('WORKER_STOPS')
      expect(await jobState(runId)).toBe('created')
    }
  })

  test('does not count what a worker does whose shard was given to another', async () => {
    const runId = await queueRun()
    const frozen = await store.workers.register({ hostname: 'frozen', pid: 3, devices: [] })
    await using held = holdJobs(frozen.id)
    const stale = await until('the first claim', () => held.claimed[0])
    // As seen by the others, it has been silent for an hour; its next sign of life comes too late.
    await client.query(`update "Worker" set "lastSeenAt" = now() - interval '1 hour' where id = $1`, [frozen.id])
    await watching(async (lost) => {
      await until('the loss of the claim', () => stale.signal.aborted)
      expect((stale.signal.reason as ShardStopped).why).toBe('CLAIM_LOST')
      // It claims again: a claim is a sign of life.
      const job = await until('the second claim', () => held.claimed[1])
      expect(job.retryCount).toBe(1)
      expect(await store.prisma.$transaction((tx) => stale.complete(tx))).toBe(false)
      stale.finish()
      await delay(200)
      expect(await jobState(runId)).toBe('active')
      expect(await store.prisma.$transaction((tx) => job.complete(tx))).toBe(true)
      job.finish()
      expect(lost).toEqual([])
    })
    await frozen[Symbol.asyncDispose]()
  })
})

describe('a worker that is killed', () => {
  test('loses its shard to another within a few seconds; after three deaths the shard is given up', async () => {
    await watching(async (lost) => {
      const runId = await queueRun()
      let { child, lines } = await startProcess()
      for (const retryCount of [0, 1, 2]) {
        const claim = JSON.stringify({ runId, shard: 0, retryCount })
        await until(`claim ${retryCount}`, () => lines.includes(claim))
        if (retryCount === 2) break
        const next = await startProcess()
        const killed = performance.now()
        await kill(child)
        ;({ child, lines } = next)
        await until('the takeover', () => next.lines.length > 1)
        expect(performance.now() - killed).toBeLessThan(4_000)
      }
      await kill(child)
      await until('giving up', () => lost.length > 0)
      expect(lost).toEqual([{ runId, shard: 0, code: 'WORKER_LOST', message: 'the worker that evaluated it died' }])
    })
  })

  test('is no live worker any more', async () => {
    const { child } = await startProcess()
    expect((await store.workers.live()).map((row) => row.pid).sort()).toEqual([child.pid, process.pid].sort())
    await kill(child)
    await until('its death', async () => (await store.workers.live()).length === 1, 2_000)
    expect((await store.workers.live())[0]).toMatchObject({ hostname: 'here', devices: [{ engine: 'none' }] })
  })
})

test('a worker that loses its connection takes its lock again', async () => {
  const { rowCount } = await client.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'nograd worker' and datname = current_database()`,
  )
  expect(rowCount).toBe(1)
  await until('the lock', async () => (await store.workers.live()).some((row) => row.id === worker.id))
})

test('a shard whose job has vanished is given up', async () => {
  const runId = await queueRun()
  await client.query(`delete from pgboss.job where data ->> 'runId' = $1`, [runId])
  await watching(async (lost) => {
    await until('giving up', () => lost.length > 0)
    expect(lost[0]).toMatchObject({ runId, shard: 0, code: 'INTERNAL' })
  })
})
