import DataLoader from 'dataloader'
import type { TensorStatistics } from '../../statistics/index.ts'
import type { InspectionRow, PrismaClient } from '../../store/index.ts'
import { statisticsOf } from '../../usecase/index.ts'

/** A storage that a checkpoint has. */
export interface StorageOfCheckpoint {
  readonly storageHash: string
  readonly checkpointId: string
}

/** What workers found out about weights. */
export interface StatisticsLoaders {
  /** By `viewHash`; null when they were not computed. */
  readonly statistics: DataLoader<string, TensorStatistics | null>
  /** The inspection that computes the statistics of a checkpoint. */
  readonly statisticsInspection: DataLoader<string, Pick<InspectionRow, 'status' | 'errorCode' | 'errorMessage'> | null>
  /** Whether another checkpoint has the storage too. */
  readonly inOtherCheckpoints: DataLoader<StorageOfCheckpoint, boolean, string>
}

const IN_OTHERS = `
  select wanted.at::int as at, exists (
    select from "CheckpointStorage" storage
    where storage."storageHash" = wanted.hash and storage."checkpointId" <> wanted.checkpoint
  ) as found
  from unnest($1::text[], $2::uuid[]) with ordinality as wanted(hash, checkpoint, at)`

/** Loaders of statistics, with an empty memory. */
export function statisticsLoaders(prisma: PrismaClient): StatisticsLoaders {
  return {
    statistics: new DataLoader(
      async (hashes) => {
        const rows = await prisma.tensorStatistics.findMany({ where: { viewHash: { in: [...hashes] } } })
        const found = new Map(rows.map(({ viewHash, value }) => [viewHash, statisticsOf(value)]))
        return hashes.map((hash) => found.get(hash) ?? null)
      },
      { maxBatchSize: 10_000 },
    ),
    statisticsInspection: new DataLoader(async (ids) => {
      const rows = await prisma.inspection.findMany({
        where: { kind: 'STATISTICS', checkpointId: { in: [...ids] } },
        select: { checkpointId: true, status: true, errorCode: true, errorMessage: true },
      })
      const found = new Map(rows.map((row) => [row.checkpointId, row]))
      return ids.map((id) => found.get(id) ?? null)
    }),
    inOtherCheckpoints: new DataLoader<StorageOfCheckpoint, boolean, string>(
      async (storages) => {
        const rows = await prisma.$queryRawUnsafe<{ at: number; found: boolean }[]>(
          IN_OTHERS,
          storages.map(({ storageHash }) => storageHash),
          storages.map(({ checkpointId }) => checkpointId),
        )
        const found = new Map(rows.map((row) => [row.at - 1, row.found]))
        return storages.map((_storage, at) => found.get(at) ?? false)
      },
      { cacheKeyFn: ({ storageHash, checkpointId }) => `${storageHash} ${checkpointId}` },
    ),
  }
}
