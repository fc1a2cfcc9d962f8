import type { Platform } from '../../usecase/index.ts'
import { detailLoaders, type DetailLoaders } from './detail-loaders.ts'
import { pageLoaders, type PageLoaders } from './page-loaders.ts'
import { rowLoaders, type RowLoaders } from './row-loaders.ts'
import { statisticsLoaders, type StatisticsLoaders } from './statistics-loaders.ts'
import { storageLoaders, type StorageLoaders } from './storage-loaders.ts'
import { treeLoaders, type TreeLoaders } from './tree-loaders.ts'

export type { DetailLoaders, LogRecord, ProgressRecord, TensorRecord } from './detail-loaders.ts'
export type { ArchitectureRecord, CheckpointRecord, RunRecord } from './row-loaders.ts'
export { WHOLE_METRICS } from './detail-loaders.ts'
export { CHECKPOINT_OMIT, RUN_OMIT } from './row-loaders.ts'

/** Every relation of the schema. What was loaded once is remembered: one set serves one operation, or one event. */
export interface Loaders
  extends RowLoaders, PageLoaders, DetailLoaders, StatisticsLoaders, StorageLoaders, TreeLoaders {}

/** Loaders for one operation. */
export function createLoaders(platform: Platform): Loaders {
  const { prisma } = platform.store
  const rows = rowLoaders(prisma)
  return {
    ...rows,
    ...pageLoaders(prisma, rows),
    ...detailLoaders(platform),
    ...statisticsLoaders(prisma),
    ...storageLoaders(platform),
    ...treeLoaders(prisma),
  }
}
