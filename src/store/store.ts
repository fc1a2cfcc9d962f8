import type { Logger } from 'pino'

import { openByteStore, type ByteStore } from './bytes/index.ts'
import { openClient } from './client.ts'
import { createRunEvents, type RunEvents } from './events/index.ts'
import { openListener } from './listener.ts'
import { createLocks, type Locks } from './locks.ts'
import type { PrismaClient } from './prisma/client.ts'
import { openPredictionQueue, type PredictionQueue } from './predictions/index.ts'
import { openQueues, type InspectionQueue, type ShardQueue } from './queue/index.ts'
import { createWorkers, type Workers } from './workers.ts'

/** Everything that is in the database. */
export interface Store extends AsyncDisposable {
  readonly prisma: PrismaClient
  readonly bytes: ByteStore
  readonly queue: ShardQueue
  readonly inspections: InspectionQueue
  readonly predictions: PredictionQueue
  readonly events: RunEvents
  readonly workers: Workers
  readonly locks: Locks
}

/** How to open a store. */
export interface StoreOptions {
  readonly databaseUrl: string
  readonly log: Logger
  /** Connections of ordinary queries at most; streams, queues, listener and locks have 18 more. */
  readonly maxConnections?: number
  /** Told every SQL statement of `prisma`. */
  readonly onQuery?: (sql: string) => void
}

/** Opens the store of a database that was migrated (`migrate`). */
export async function openStore({ databaseUrl, log, maxConnections = 10, onQuery }: StoreOptions): Promise<Store> {
  const opened: AsyncDisposable[] = []
  const own = <T extends AsyncDisposable>(resource: T): T => {
    opened.unshift(resource)
    return resource
  }
  // In the reverse of the order in which they were opened.
  const close = async () => {
    for (const resource of opened) await resource[Symbol.asyncDispose]()
  }
  try {
    const listener = own(await openListener(databaseUrl, log))
    const prisma = own(openClient({ databaseUrl, log, maxConnections, onQuery }))
    // Compiles what the first query needs, while the database answers the others.
    const connected = prisma.$connect()
    connected.catch(() => undefined)
    const bytes = own(openByteStore(databaseUrl, log))
    const queue = own(await openQueues(databaseUrl, listener, log))
    const predictions = own(openPredictionQueue(databaseUrl, listener, log))
    const events = own(createRunEvents(prisma, listener, log))
    const locks = own(createLocks(databaseUrl, log))
    await connected
    return {
      prisma,
      bytes,
      queue,
      inspections: queue.inspections,
      predictions,
      events,
      locks,
      workers: createWorkers(databaseUrl, prisma, log),
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
