import { AppError } from '../error.ts'
import type { RunRow } from '../store/index.ts'
import type { Platform } from './platform.ts'
import { isTerminal, lockRun } from './run-lock.ts'

/** Which run to cancel. */
export interface CancelRunInput {
  readonly runId: string
}

/**
 * Cancels a run in whatever state it is: it is CANCELLED when this returns, and a worker that has it stops within a second. A run that
 * has ended stays as it is.
 * @throws AppError NOT_FOUND.
 */
export async function cancelRun({ store, clock }: Platform, { runId }: CancelRunInput): Promise<RunRow> {
  return await store.prisma.$transaction(async (tx) => {
    const status = await lockRun(tx, runId)
    if (status === null) throw new AppError('NOT_FOUND', 'there is no run with this id')
    if (!isTerminal(status)) {
      await tx.run.update({ where: { id: runId }, data: { status: 'CANCELLED', finishedAt: clock() } })
      await store.events.append(tx, runId, 'STATUS', { status: 'CANCELLED' })
      await store.queue.cancel(tx, runId)
    }
    return await tx.run.findUniqueOrThrow({ where: { id: runId } })
  })
}
