import { randomInt } from 'node:crypto'

import type pg from 'pg'
import type { Logger } from 'pino'

import { connect } from './connection.ts'
import type { Prisma, PrismaClient } from './prisma/client.ts'
import type { WorkerRow } from './rows.ts'

/** A worker says that it lives this often … */
const HEARTBEAT_MS = 5_000
/** … and is taken for dead after this time, when the database still holds a lock for a machine that is gone. */
const SILENCE_SECONDS = 30
/** Workers that have been silent for so long are forgotten. */
const FORGET_HOURS = 24

/**
 * SQL: whether the row `worker` of "Worker" is of a live process. It holds its advisory lock on a connection that ends with it
 * (pg_locks shows a 64-bit key in two halves), and it gives signs of life.
 */
export const WORKER_IS_ALIVE = `
  worker."lastSeenAt" > now() - interval '${SILENCE_SECONDS} seconds' and exists (
    select from pg_locks held
    where held.locktype = 'advisory' and held.objsubid = 1 and held.granted
      and held.database = (select oid from pg_database where datname = current_database())
      and held.classid::bigint << 32 | held.objid::bigint = worker."lockKey"
  )`

/** Who works. */
export interface WorkerFacts {
  readonly hostname: string
  readonly pid: number
  /** [{engine, version, id, description, memoryBytes}] */
  readonly devices: Prisma.InputJsonValue
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
  const lockKey = BigInt(randomInt(2 ** 47)) << 15n
  let session = await lockSession(databaseUrl, lockKey)
  await prisma.$executeRaw`delete from "Worker" where "lastSeenAt" < now() - ${FORGET_HOURS} * interval '1 hour'`
  const { id } = await prisma.worker.create({ data: { ...facts, lockKey } })
  const stop = new AbortController()
  let beat = Promise.resolve()
  const timer = setInterval(() => {
    beat = heartbeat()
  }, HEARTBEAT_MS)
  void session.lost.then(relock)

  async function heartbeat(): Promise<void> {
    try {
      // The database's clock: it is compared with that.
      await prisma.$executeRaw`update "Worker" set "lastSeenAt" = now() where id = ${id}::uuid`
    } catch (error) {
      log.warn({ err: error }, 'the worker could not say that it lives')
    }
  }

  /** The lock is lost with its connection: until it is held again, others may take this worker's shards, and they are told so. */
  async function relock(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        session = await lockSession(databaseUrl, lockKey)
        void session.lost.then(relock)
        return
      } catch (error) {
        log.warn({ err: error }, 'the worker could not take its lock again; trying again')
        await new Promise((resolve) => setTimeout(resolve, 500))
      }
    }
  }

  return {
    id,
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      clearInterval(timer)
      await beat
      await prisma.worker.deleteMany({ where: { id } })
      await session.client.end().catch(() => undefined)
    },
  }
}

interface LockSession {
  readonly client: pg.Client
  /** Settles when the connection has ended. */
  readonly lost: Promise<void>
}

/** A session that holds a lock and does nothing else. The server notices within half a minute when the machine at the other end is gone. */
async function lockSession(databaseUrl: string, key: bigint): Promise<LockSession> {
  const client = await connect(databaseUrl)
  const lost = new Promise<void>((resolve) => client.once('end', () => resolve()))
  await client.query('set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3')
  await client.query('set application_name = $$nograd worker$$')
  await client.query('select pg_advisory_lock($1)', [key])
  return { client, lost }
}
