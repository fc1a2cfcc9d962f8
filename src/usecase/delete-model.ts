import { AppError } from '../error.ts'
import type { Deleted } from './delete-checkpoint.ts'
import { count, deleteRunsOf } from './delete-runs.ts'
import type { Platform } from './platform.ts'

/** Which model to delete. */
export interface DeleteModelInput {
  readonly modelId: string
  /** Whether its checkpoints go too; without, a model that has some is refused. */
  readonly deleteCheckpoints?: boolean | null | undefined
  /** Whether its runs go too; without, a model that has some is refused. */
  readonly deleteRuns?: boolean | null | undefined
}

/**
 * Deletes a model. Its architecture stays: it is small, has no weights, and the next model with an equal graph finds it.
 * @throws AppError NOT_FOUND; CONFLICT while checkpoints or runs belong to it.
 */
export async function deleteModel({ store }: Platform, input: DeleteModelInput): Promise<Deleted> {
  const { modelId, deleteCheckpoints, deleteRuns } = input
  return await store.prisma.$transaction(async (tx) => {
    // Whoever imports a checkpoint into it now waits, and finds it gone.
    const [row] = await tx.$queryRaw<{ name: string }[]>`
      select name from "Model" where id = ${modelId}::uuid for update`
    if (row === undefined) throw new AppError('NOT_FOUND', 'there is no model with this id')
    const what = `model ${JSON.stringify(row.name)}`
    // Before the runs, as `deleteCheckpoint` does, and in one order: neither waits for the other in a circle.
    const checkpoints = await tx.$queryRaw<{ id: string }[]>`
      select id from "Checkpoint" where "modelId" = ${modelId}::uuid order by id for update`
    const runs = await deleteRunsOf(tx, { modelId }, deleteRuns ?? false, what)
    if (checkpoints.length > 0 && deleteCheckpoints !== true)
      throw new AppError(
        'CONFLICT',
        `${what} has ${count(checkpoints.length, 'checkpoint')}; delete them with it (\`deleteCheckpoints: true\`, --with-checkpoints), ` +
          'or keep it',
      )
    await tx.checkpoint.deleteMany({ where: { modelId } })
    await tx.model.delete({ where: { id: modelId }, select: { id: true } })
    return { runs, checkpoints: checkpoints.length }
  })
}
