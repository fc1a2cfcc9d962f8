import { AppError } from '../error.ts'
import { deleteRunsOf } from './delete-runs.ts'
import type { Platform } from './platform.ts'

/** Which checkpoint to delete. */
export interface DeleteCheckpointInput {
  readonly checkpointId: string
  /** Whether its runs go too; without, a checkpoint that has some is refused. */
  readonly deleteRuns?: boolean | null | undefined
}

/** What went with something that was deleted. */
export interface Deleted {
  readonly runs: number
  readonly checkpoints: number
}

/**
 * Deletes a checkpoint: its value tree, its tensors, and its references to storages. Bytes that nothing else refers to are left to the
 * sweep; those that something else uses, or is about to, stay.
 * @throws AppError NOT_FOUND; CONFLICT while runs use it.
 */
export async function deleteCheckpoint({ store }: Platform, input: DeleteCheckpointInput): Promise<Deleted> {
  const { checkpointId, deleteRuns } = input
  return await store.prisma.$transaction(async (tx) => {
    // Whoever starts a run of it now waits, and finds it gone.
    const [row] = await tx.$queryRaw<{ name: string }[]>`
      select name from "Checkpoint" where id = ${checkpointId}::uuid for update`
    if (row === undefined) throw new AppError('NOT_FOUND', 'there is no checkpoint with this id')
    const runs = await deleteRunsOf(tx, { checkpointId }, deleteRuns ?? false, `checkpoint ${JSON.stringify(row.name)}`)
    await tx.checkpoint.delete({ where: { id: checkpointId }, select: { id: true } })
    return { runs, checkpoints: 1 }
  })
}
