import DataLoader from 'dataloader'
import type {
  ArchitectureRow,
  CheckpointRow,
  DatasetRow,
  ModelRow,
  PrismaClient,
  RunRow,
  UploadRow,
  WorkerRow,
} from '../../store/index.ts'

/** An architecture without its graph, which may be large: `graph` of the loaders reads it. */
export type ArchitectureRecord = Omit<ArchitectureRow, 'graph'>

/** A checkpoint without its value tree, which may be large: `tree` of the loaders reads it. */
export type CheckpointRecord = Omit<CheckpointRow, 'tree'>

/** A run without its confusion matrix and its diagram, which few ask for: loaders read them. */
export type RunRecord = Omit<RunRow, 'confusion' | 'reliability'>

/** What lists of checkpoints leave in the database. */
export const CHECKPOINT_OMIT = { tree: true } as const

/** What lists of runs leave in the database. */
export const RUN_OMIT = { confusion: true, reliability: true } as const

/** Rows by UUID, null where there is none; one statement for all that are asked for at a time. */
export interface RowLoaders {
  readonly architecture: DataLoader<string, ArchitectureRecord | null>
  readonly model: DataLoader<string, ModelRow | null>
  readonly checkpoint: DataLoader<string, CheckpointRecord | null>
  readonly dataset: DataLoader<string, DatasetRow | null>
  readonly run: DataLoader<string, RunRecord | null>
  readonly upload: DataLoader<string, UploadRow | null>
  readonly worker: DataLoader<string, WorkerRow | null>
}

/** Loaders of rows, with an empty memory. */
export function rowLoaders(prisma: PrismaClient): RowLoaders {
  const anyOf = (ids: readonly string[]) => ({ id: { in: [...ids] } })
  return {
    architecture: byId((ids) => prisma.architecture.findMany({ where: anyOf(ids), omit: { graph: true } })),
    model: byId((ids) => prisma.model.findMany({ where: anyOf(ids) })),
    checkpoint: byId((ids) => prisma.checkpoint.findMany({ where: anyOf(ids), omit: CHECKPOINT_OMIT })),
    dataset: byId((ids) => prisma.dataset.findMany({ where: anyOf(ids) })),
    run: byId((ids) => prisma.run.findMany({ where: anyOf(ids), omit: RUN_OMIT })),
    upload: byId((ids) => prisma.upload.findMany({ where: anyOf(ids) })),
    worker: byId((ids) => prisma.worker.findMany({ where: anyOf(ids) })),
  }
}

/** Ids of one statement; PostgreSQL takes 65,535 parameters. */
const MAX_IDS = 10_000

function byId<Row extends { readonly id: string }>(
  find: (ids: readonly string[]) => Promise<readonly Row[]>,
): DataLoader<string, Row | null> {
  return new DataLoader(
    async (ids) => {
      const rows = new Map((await find(ids)).map((row) => [row.id, row]))
      return ids.map((id) => rows.get(id) ?? null)
    },
    { maxBatchSize: MAX_IDS },
  )
}
