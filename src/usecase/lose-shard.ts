import type { LostShard } from '../store/index.ts'
import type { Platform } from './platform.ts'
import { lockActiveRun } from './run-lock.ts'

/** Ends a run as FAILED because one of its shards was given up: its workers died, or failed without knowing why, until no retry was left. */
export async function loseShard({ store, clock }: Platform, { runId, shard, code, message }: LostShard): Promise<void> {
  await store.prisma.$transaction(async (tx) => {
    if (!(await lockActiveRun(tx, runId))) return
    const found = await tx.shard.findUnique({ where: { runId_index: { runId, index: shard } } })
    if (found === null || found.status === 'DONE') return
    const errorMessage = `samples ${found.firstRow} to ${found.endRow} were given up after ${found.attempt} attempts: ${message}`
    await tx.run.update({
      where: { id: runId },
      data: { status: 'FAILED', errorCode: code, errorMessage, finishedAt: clock() },
    })
    await store.events.append(tx, runId, 'LOG', { level: 'error', message: `${code}: ${errorMessage}` })
    await store.events.append(tx, runId, 'STATUS', { status: 'FAILED' })
    await store.queue.cancel(tx, runId)
  })
}
