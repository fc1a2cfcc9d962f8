import { randomInt, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'

import type pg from 'pg'
import type { Logger } from 'pino'

import { connect } from './connection.ts'
import type { PrismaClient } from './prisma/client.ts'
import type { WorkerRow } from './rows.ts'

/** A worker says that it lives this often … */
const HEARTBEAT_MS = 5_000
/** … and is taken for dead after this time, when the database still holds a lock for a machine that is gone. */
const SILENCE_SECONDS = 30
/** Between two attempts to take a lost lock again. */
const RELOCK_MS = 250
/** Workers that have been silent for so long are forgotten. */
const FORGET_HOURS = 24

/** SQL: whether somebody holds the advisory lock of the row `worker` of "Worker". (pg_locks shows a 64-bit key in two halves.) */
const LOCK_IS_HELD = `
  exists (
    select from pg_locks held
    where held.locktype = 'advisory' and held.objsubid = 1 and held.granted
      and held.database = (select oid from pg_database where datname = current_database())
      and held.classid::bigint << 32 | held.objid::bigint = worker."lockKey"
  )`

/**
 * SQL: whether the row `worker` of "Worker" is of a live process. It holds its advisory lock on a connection that ends with it,
 * and it gives signs of life.
 */
export const WORKER_IS_ALIVE = `worker."lastSeenAt" > now() - interval '${SILENCE_SECONDS} seconds' and ${LOCK_IS_HELD}`

/**
 * SQL: a sign of life of the worker $1; no row when it does not hold its lock: what it claimed would be taken from it at once.
 */
export const SIGN_OF_LIFE = `update "Worker" worker set "lastSeenAt" = now() where id = $1 and ${LOCK_IS_HELD} returning id`

/** Who works. */
export interface WorkerFacts {
  readonly hostname: string
  readonly pid: number
  /** [{engine, version, id, description, memoryBytes}] */
  readonly devices: readonly object[]
}

/** A worker that is registered. Disposing it takes it off. */
export interface RegisteredWorker extends AsyncDisposable {
  readonly id: string
}

/** The processes that evaluate. */
export interface Workers {
  /** Registers this process, and keeps saying that it lives, until disposed. */
  register(facts: WorkerFacts): Promise<RegisteredWorker>
  /** Those that live, the oldest first. */
  live(): Promise<readonly WorkerRow[]>
}

/** Workers over one database. */
export function createWorkers(databaseUrl: string, prisma: PrismaClient, log: Logger): Workers {
  return {
    register: (facts) => register(databaseUrl, prisma, facts, log),
    live: async () => {
      const alive = await prisma.$queryRawUnsafe<{ id: string }[]>(
        `select id from "Worker" worker where ${WORKER_IS_ALIVE}`,
      )
      return prisma.worker.findMany({ where: { id: { in: alive.map((row) => row.id) } }, orderBy: { id: 'asc' } })
    },
  }
}

async function register(
  databaseUrl: string,
  prisma: PrismaClient,
  facts: WorkerFacts,
  log: Logger,
): Promise<RegisteredWorker> {
  const id = randomUUID()
  const lockKey = BigInt(randomInt(2 ** 47)) << 15n
  const stop = new AbortController()
  const lock = await holdLock(databaseUrl, lockKey, stop.signal, log)
  /** With the database's clock, because it is compared with that. Also when the row was forgotten: a laptop may have slept for days. */
  const signOfLife = () => prisma.$executeRaw`
    insert into "Worker" (id, hostname, pid, "lockKey", devices)
    values (${id}::uuid, ${facts.hostname}, ${facts.pid}, ${lockKey}, ${JSON.stringify(facts.devices)}::text::json)
    on conflict (id) do update set "lastSeenAt" = now()`
  await prisma.$executeRaw`delete from "Worker" where "lastSeenAt" < now() - ${FORGET_HOURS} * interval '1 hour'`
  await signOfLife()
  let beat: Promise<unknown> = Promise.resolve()
  const timer = setInterval(() => {
    beat = signOfLife().catch((error: unknown) => log.warn({ err: error }, 'the worker could not say that it lives'))
  }, HEARTBEAT_MS)
  return {
    id,
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      clearInterval(timer)
      await beat
      await prisma.worker.deleteMany({ where: { id } })
      await lock.done
    },
  }
}

/**
 * Takes a lock and keeps it: with its connection, it is lost, and taken again on a new one.
 * @returns what settles after an abort, when the lock was given back.
 */
async function holdLock(
  databaseUrl: string,
  key: bigint,
  signal: AbortSignal,
  log: Logger,
): Promise<{ done: Promise<void> }> {
  let session = await lockSession(databaseUrl, key, signal)
  const done = (async () => {
    for (;;) {
      await Promise.race([session.lost, aborted(signal)])
      if (signal.aborted) break
      log.warn('the worker has lost its connection, and its lock; taking it again')
      try {
        session = await lockSession(databaseUrl, key, signal)
      } catch (error) {
        log.debug({ err: error }, 'the database does not answer yet')
        await delay(RELOCK_MS, null, { signal }).catch(() => undefined)
      }
    }
    await session.client.end().catch(() => undefined)
  })()
  return { done }
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

interface LockSession {
  readonly client: pg.Client
  /** Settles when the connection has ended. */
  readonly lost: Promise<void>
}

/** A session that holds a lock and does nothing else. The server notices within half a minute when the machine at the other end is gone. */
async function lockSession(databaseUrl: string, key: bigint, signal: AbortSignal): Promise<LockSession> {
  const client = await connect(databaseUrl, 'nograd worker')
  // Somebody may hold the lock: our own session, of which the server does not know yet that it is over.
  const giveUp = () => void client.end().catch(() => undefined)
  signal.addEventListener('abort', giveUp, { once: true })
  const lost = new Promise<void>((resolve) => client.once('end', () => resolve()))
  try {
    await client.query('set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3')
    await client.query('select pg_advisory_lock($1)', [key])
    return { client, lost }
  } catch (error) {
    await client.end().catch(() => undefined)
    throw error
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}
