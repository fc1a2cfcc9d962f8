import { AppError } from '../error.ts'
import type { Deleted } from './delete-checkpoint.ts'
import { deleteRunsOf } from './delete-runs.ts'
import type { Platform } from './platform.ts'

/** Which version of a dataset to delete. */
export interface DeleteDatasetInput {
  readonly datasetId: string
  /** Whether its runs go too; without, a dataset that has some is refused. */
  readonly deleteRuns?: boolean | null | undefined
}

/**
 * Deletes one version of a dataset and its references to storages, whose bytes are left to the sweep as those of a checkpoint are.
 * @throws AppError NOT_FOUND; CONFLICT while runs use it.
 */
export async function deleteDataset({ store }: Platform, input: DeleteDatasetInput): Promise<Deleted> {
  const { datasetId, deleteRuns } = input
  return await store.prisma.$transaction(async (tx) => {
    const [row] = await tx.$queryRaw<{ name: string; version: number }[]>`
      select name, version from "Dataset" where id = ${datasetId}::uuid for update`
    if (row === undefined) throw new AppError('NOT_FOUND', 'there is no dataset with this id')
    const what = `dataset ${JSON.stringify(row.name)} version ${row.version}`
    const runs = await deleteRunsOf(tx, { datasetId }, deleteRuns ?? false, what)
    await tx.dataset.delete({ where: { id: datasetId }, select: { id: true } })
    return { runs, checkpoints: 0 }
  })
}
