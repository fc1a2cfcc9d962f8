import type { Logger } from 'pino'

import { CHANNELS, type Listener } from '../listener.ts'
import type { PrismaClient } from '../prisma/client.ts'
import { createWake } from '../wake.ts'

/** Which changes to follow. */
export interface ChangesOptions {
  /** Only runs of this model. */
  readonly modelId?: string
  /** Ends the stream. */
  readonly signal?: AbortSignal
}

const IDLE_MS = 60_000
/** Clocks of the writers of timestamps may differ by as much. */
const CLOCK_SLACK_MS = 60_000

/**
 * Ids of runs that were created or changed their status since the call. A run that changes again before its id is taken comes
 * once; after a lost connection some may come without a change.
 */
export function runChanges(
  prisma: PrismaClient,
  listener: Listener,
  log: Logger,
  { modelId, signal }: ChangesOptions,
): AsyncIterableIterator<string> {
  const pending = new Set<string>()
  const wake = createWake()
  const closed = new AbortController()
  const add = (runId: string) => {
    pending.add(runId)
    wake.set()
  }
  const remove = listener.add({
    heard: (channel, payload) => {
      const [runId, ofModel] = payload.split(':')
      if (channel === CHANNELS.runChanged && (modelId === undefined || modelId === ofModel)) add(runId!)
    },
    missed: (downSince) => {
      changedSince(prisma, new Date(downSince.getTime() - CLOCK_SLACK_MS), modelId).then(
        (runIds) => runIds.forEach(add),
        (error: unknown) => log.warn({ err: error }, 'changes of runs during a lost connection could not be read'),
      )
    },
  })
  const close = () => {
    remove()
    closed.abort()
  }
  if (signal?.aborted) close()
  signal?.addEventListener('abort', close, { once: true })

  return {
    next: async () => {
      while (!closed.signal.aborted) {
        const [runId] = pending
        if (runId !== undefined) {
          pending.delete(runId)
          return { done: false, value: runId }
        }
        await wake.wait(IDLE_MS, closed.signal)
      }
      return { done: true, value: undefined }
    },
    return: () => {
      signal?.removeEventListener('abort', close)
      close()
      return Promise.resolve({ done: true, value: undefined })
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

/** A run changes its status when it is created, started and finished. */
async function changedSince(
  prisma: PrismaClient,
  since: Date,
  modelId: string | undefined,
): Promise<readonly string[]> {
  const runs = await prisma.run.findMany({
    where: {
      ...(modelId === undefined ? {} : { modelId }),
      OR: [{ createdAt: { gte: since } }, { startedAt: { gte: since } }, { finishedAt: { gte: since } }],
    },
    select: { id: true },
  })
  return runs.map((run) => run.id)
}
