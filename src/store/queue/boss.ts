import { createHash } from 'node:crypto'

import { fromPrisma, PgBoss, type Db } from 'pg-boss'
import type pg from 'pg'
import type { Logger } from 'pino'

import { AppError } from '../../error.ts'
import type { Transaction } from '../client.ts'

/** pg-boss' own Postgres schema. */
export const BOSS_SCHEMA = 'pgboss'
/** The queue of shards. */
export const SHARD_QUEUE = 'shard'
/** The queue of inspections. */
export const INSPECTION_QUEUE = 'inspection'

const QUEUE_OPTIONS = {
  policy: 'standard',
  /** A shard, or an inspection, is tried three times. */
  retryLimit: 2,
  retryDelay: 0,
} as const

/** pg-boss as each process runs it: without supervision, because `watch.ts` does that, knowing workers and runs. */
export async function startBoss(pool: pg.Pool, log: Logger): Promise<PgBoss> {
  const boss = createBoss(pool, false, log)
  try {
    await boss.start()
    return boss
  } catch (cause) {
    await boss.stop({ graceful: false, close: false }).catch(() => undefined)
    if (cause instanceof Error && /not installed|migrated/.test(cause.message))
      throw new AppError('CONFLICT', 'the database is not migrated to this version of nograd: migrate it first.', {
        cause,
      })
    throw cause
  }
}

/** Makes or upgrades the tables of the queue. The caller holds the migration lock. */
export async function installBoss(pool: pg.Pool, log: Logger): Promise<void> {
  const boss = createBoss(pool, true, log)
  await boss.start()
  try {
    for (const queue of [SHARD_QUEUE, INSPECTION_QUEUE])
      if ((await boss.getQueue(queue)) === null) await boss.createQueue(queue, QUEUE_OPTIONS)
  } finally {
    await boss.stop({ graceful: false, close: false })
  }
}

function createBoss(pool: pg.Pool, migrate: boolean, log: Logger): PgBoss {
  const boss = new PgBoss({
    db: overClient(pool),
    schema: BOSS_SCHEMA,
    migrate,
    supervise: false,
    schedule: false,
    registerInstance: false,
  })
  boss.on('error', (error) => log.error({ err: error }, 'the queue failed'))
  boss.on('warning', (warning) => log.warn(warning, 'the queue warns'))
  return boss
}

/** pg-boss over a connection or a pool of ours. */
export function overClient(client: pg.Pool | pg.PoolClient): Db {
  return { executeSql: (text, values) => client.query<Record<string, unknown>>(text, values) }
}

/** pg-boss inside a Prisma transaction. */
export function overTransaction(tx: Transaction): Db {
  return fromPrisma(tx)
}

/** The id of a shard's job: known from the shard, here and in SQL (`md5("runId" || ':' || index)::uuid`). */
export function shardJobId(runId: string, shard: number): string {
  const hex = createHash('md5').update(`${runId.toLowerCase()}:${shard}`).digest('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
