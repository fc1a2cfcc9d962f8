import type { Logger } from 'pino'

import type { Transaction } from '../client.ts'
import { CHANNELS, type Listener } from '../listener.ts'
import type { PrismaClient, RunEventKind } from '../prisma/client.ts'
import { appendEvent } from './append.ts'
import { runChanges, type ChangesOptions } from './changes.ts'
import type { RunEventItem } from './run-event.ts'
import { RunFeed, type ReadEvents } from './run-feed.ts'
import { followRun, type SubscribeOptions } from './subscribe.ts'

export type { ChangesOptions, RunEventItem, SubscribeOptions }

/** What happens to runs, across all processes. */
export interface RunEvents {
  /** Writes the next event of a run, in the caller's transaction; its number. The payload of STATUS is `{ status }`. */
  append(tx: Transaction, runId: string, kind: RunEventKind, payload: unknown): Promise<number>
  /**
   * The run's state (or, with `after`, nothing), every later event in order, and the end after the event with a final status.
   * It starts to work when it is iterated, and throws AppError NOT_FOUND then.
   */
  subscribe(runId: string, options?: SubscribeOptions): AsyncIterable<RunEventItem>
  /** Ids of runs that were created or changed their status since the call. Ends with its signal, or when the reader stops. */
  changes(options?: ChangesOptions): AsyncIterableIterator<string>
}

/** Events over one database and one listening connection. Disposing ends all who follow a run. */
export function createRunEvents(prisma: PrismaClient, listener: Listener, log: Logger): RunEvents & AsyncDisposable {
  const feeds = new Map<string, { readonly feed: RunFeed; subscribers: number }>()
  const read: ReadEvents = (runId, after, limit) =>
    prisma.runEvent.findMany({ where: { runId, seq: { gt: after } }, orderBy: { seq: 'asc' }, take: limit })
  listener.add({
    heard: (channel, payload) => {
      if (channel === CHANNELS.runEvent) feeds.get(payload.slice(0, payload.indexOf(':')))?.feed.notify()
    },
    missed: () => {
      for (const { feed } of feeds.values()) feed.notify()
    },
  })

  async function* subscribe(runId: string, options: SubscribeOptions = {}): AsyncGenerator<RunEventItem, void> {
    runId = runId.toLowerCase()
    const entry = feeds.get(runId) ?? { feed: new RunFeed(runId, read, log), subscribers: 0 }
    feeds.set(runId, entry)
    entry.subscribers++
    try {
      yield* followRun(prisma, entry.feed, runId, options)
    } finally {
      entry.subscribers--
      if (entry.subscribers === 0) {
        entry.feed.close()
        feeds.delete(runId)
      }
    }
  }

  return {
    append: appendEvent,
    subscribe,
    changes: (options = {}) => runChanges(prisma, listener, log, options),
    [Symbol.asyncDispose]: () => {
      for (const { feed } of feeds.values()) feed.close()
      return Promise.resolve()
    },
  }
}
