import type { Logger } from 'pino'

import { openPool } from '../connection.ts'
import { CHANNELS, type Listener } from '../listener.ts'
import { overTransaction, SHARD_QUEUE, shardJobId, startBoss } from './boss.ts'
import type { InspectionQueue } from './inspection-queue.ts'
import { openInspections } from './open-inspections.ts'
import { startWatch } from './watch.ts'
import { startWork } from './work.ts'
import type { ShardKey, ShardQueue } from './shard-queue.ts'

export { installBoss } from './boss.ts'
export type {
  InspectionJob,
  InspectionQueue,
  InspectionWatchOptions,
  InspectionWorkOptions,
  LostInspection,
} from './inspection-queue.ts'
export {
  ShardStopped,
  type FreedShard,
  type LostShard,
  type ShardJob,
  type ShardKey,
  type ShardQueue,
  type WatchOptions,
  type WorkOptions,
} from './shard-queue.ts'

const CONNECTIONS = 3

/** The queues of a database, over the same connections. */
export interface Queues extends ShardQueue, AsyncDisposable {
  readonly inspections: InspectionQueue
}

/** Opens the queues, with connections of their own. */
export async function openQueues(databaseUrl: string, listener: Listener, log: Logger): Promise<Queues> {
  const pool = openPool(databaseUrl, CONNECTIONS, log)
  const boss = await startBoss(pool, log).catch(async (error: unknown) => {
    await pool[Symbol.asyncDispose]()
    throw error
  })
  const context = { boss, pool, listener, log }
  return {
    enqueue: async (tx, shards) => {
      const keys: readonly ShardKey[] = 'runId' in shards ? [shards] : shards
      const jobs = keys.map(({ runId, shard }) => ({ id: shardJobId(runId, shard), data: { runId, shard } }))
      await boss.insert(SHARD_QUEUE, jobs, { db: overTransaction(tx) })
      await tx.$executeRaw`select pg_notify(${CHANNELS.shardReady}, ${keys[0]?.runId ?? ''})`
    },
    cancel: async (tx, runId) => {
      const shards = await tx.shard.findMany({ where: { runId }, select: { index: true } })
      const ids = shards.map(({ index }) => shardJobId(runId, index))
      if (ids.length > 0) await boss.cancel(SHARD_QUEUE, ids, { db: overTransaction(tx) })
      await tx.$executeRaw`select pg_notify(${CHANNELS.runStopped}, ${runId})`
    },
    work: (options) => startWork(context, options),
    watch: (options) => startWatch(context, options),
    inspections: openInspections(context),
    [Symbol.asyncDispose]: async () => {
      await boss.stop({ graceful: false, close: false })
      await pool[Symbol.asyncDispose]()
    },
  }
}
