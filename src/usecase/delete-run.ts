import { AppError } from '../error.ts'
import type { Deleted } from './delete-checkpoint.ts'
import type { Platform } from './platform.ts'
import { isTerminal, lockRun } from './run-lock.ts'

/** Which run to delete. */
export interface DeleteRunInput {
  readonly runId: string
}

/**
 * Deletes a run that has ended, with its metrics, its events and its log.
 * @throws AppError NOT_FOUND; CONFLICT while it is under way.
 */
export async function deleteRun({ store }: Platform, { runId }: DeleteRunInput): Promise<Deleted> {
  return await store.prisma.$transaction(async (tx) => {
    const status = await lockRun(tx, runId)
    if (status === null) throw new AppError('NOT_FOUND', 'there is no run with this id')
    if (!isTerminal(status))
      throw new AppError('CONFLICT', `the run is ${status}; wait for its end, or cancel it, and try again`)
    await tx.run.delete({ where: { id: runId }, select: { id: true } })
    return { runs: 1, checkpoints: 0 }
  })
}
