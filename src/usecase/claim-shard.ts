import type { RunRow } from '../store/index.ts'
import type { Platform } from './platform.ts'
import { isTerminal, lockRun } from './run-lock.ts'

/** A shard that a worker evaluates. Only the latest claim of a shard counts: `attempt` tells it from earlier ones. */
export interface ShardClaim {
  readonly run: RunRow
  readonly shard: number
  readonly attempt: number
  readonly firstRow: number
  readonly endRow: number
  /** Samples of the run that were counted by others when the claim was made. */
  readonly counted: number
}

/**
 * Takes a shard for a worker; the run is RUNNING from its first claim on. An earlier claim of the same shard, whose worker may still
 * believe in it, counts no more. Null when there is nothing left to do.
 */
export async function claimShard(
  { store, clock }: Platform,
  { runId, shard, workerId }: { readonly runId: string; readonly shard: number; readonly workerId: string },
): Promise<ShardClaim | null> {
  return await store.prisma.$transaction(async (tx) => {
    const status = await lockRun(tx, runId)
    if (status === null || isTerminal(status)) return null
    const key = { runId_index: { runId, index: shard } }
    const found = await tx.shard.findUnique({ where: key })
    if (found === null || found.status === 'DONE') return null
    const { attempt, firstRow, endRow } = await tx.shard.update({
      where: key,
      data: { status: 'RUNNING', workerId, attempt: { increment: 1 }, samples: 0 },
    })
    if (attempt > 1)
      await store.events.append(tx, runId, 'LOG', {
        level: 'warning',
        message: `samples ${firstRow} to ${endRow} are evaluated again: attempt ${attempt}`,
      })
    if (status === 'QUEUED') {
      // A run that was taken over began with its first worker.
      const { startedAt } = await tx.run.findUniqueOrThrow({ where: { id: runId }, select: { startedAt: true } })
      await tx.run.update({ where: { id: runId }, data: { status: 'RUNNING', startedAt: startedAt ?? clock() } })
      await store.events.append(tx, runId, 'STATUS', { status: 'RUNNING' })
    }
    const run = await tx.run.findUniqueOrThrow({ where: { id: runId } })
    const { _sum } = await tx.shard.aggregate({ where: { runId }, _sum: { samples: true } })
    return {
      run,
      shard,
      attempt,
      firstRow: Number(firstRow),
      endRow: Number(endRow),
      counted: Number(_sum.samples),
    }
  })
}
