/**
 * Postgres: the client of all ordinary queries, byte streams, the queue, events, workers, migrations. The embedded server has a face of
 * its own, `embedded/`: it starts while all of this is loaded.
 */
export type * from './rows.ts'
export {
  Prisma,
  type ArchitectureSource,
  type CheckpointFormat,
  type ColumnRole,
  type InspectionKind,
  type InspectionStatus,
  type PrismaClient,
  type RunEventKind,
  type RunStatus,
  type ShardStatus,
  type Task,
  type UploadStatus,
} from './prisma/client.ts'
export type { Transaction } from './client.ts'
export {
  storageDamaged,
  type ByteRange,
  type ByteStore,
  type Content,
  type Integrity,
  type ReadOptions,
  type StorageSlice,
  type StoredContent,
  type SweepReport,
} from './bytes/index.ts'
export type { ChangesOptions, RunEventItem, RunEvents, SubscribeOptions } from './events/index.ts'
export {
  ShardStopped,
  type FreedShard,
  type InspectionJob,
  type InspectionQueue,
  type InspectionWatchOptions,
  type InspectionWorkOptions,
  type LostInspection,
  type LostShard,
  type ShardJob,
  type ShardKey,
  type ShardQueue,
  type WatchOptions,
  type WorkOptions,
} from './queue/index.ts'
export type {
  AnswerOptions,
  AskOutcome,
  NewPrediction,
  PredictionAnswer,
  PredictionQueue,
  TakenPrediction,
} from './predictions/index.ts'
export type { RegisteredWorker, WorkerFacts, Workers } from './workers.ts'
export type { HeldLock, Locks } from './locks.ts'
export { migrate } from './migrate.ts'
export { openStore, type Store, type StoreOptions } from './store.ts'
