import type { FreedShard, Transaction } from '../store/index.ts'
import type { Platform } from './platform.ts'
import { lockRun } from './run-lock.ts'

/** The shard of a worker that died waits for another worker, unless one has it already. */
export async function requeueShard(platform: Platform, { runId, shard, workerId }: FreedShard): Promise<void> {
  await platform.store.prisma.$transaction(async (tx) => {
    if ((await lockRun(tx, runId)) !== 'RUNNING') return
    const message = 'the worker that evaluated the run died; it waits for another one'
    await backToQueue(platform, tx, { runId, index: shard, workerId, status: 'RUNNING' }, message)
  })
}

/**
 * Takes a shard, if it is as it is expected, from its worker; a run that no worker evaluates any more is QUEUED again. The caller holds the
 * run's lock.
 */
export async function backToQueue(
  { store }: Platform,
  tx: Transaction,
  expected: {
    readonly runId: string
    readonly index: number
    readonly status: 'RUNNING'
    readonly workerId?: string | null
    readonly attempt?: number
  },
  message: string,
): Promise<boolean> {
  const { runId } = expected
  const data = { status: 'QUEUED', workerId: null, samples: 0 } as const
  if ((await tx.shard.updateMany({ where: expected, data })).count === 0) return false
  await store.events.append(tx, runId, 'LOG', { level: 'warning', message })
  if ((await tx.shard.count({ where: { runId, status: 'RUNNING' } })) > 0) return true
  await tx.run.update({ where: { id: runId }, data: { status: 'QUEUED' } })
  await store.events.append(tx, runId, 'STATUS', { status: 'QUEUED' })
  return true
}
