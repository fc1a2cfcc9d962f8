/** Rows as they are in the tables, without relations. */
export type {
  Architecture as ArchitectureRow,
  Checkpoint as CheckpointRow,
  CheckpointStorage as CheckpointStorageRow,
  Dataset as DatasetRow,
  DatasetColumn as DatasetColumnRow,
  Metric as MetricRow,
  Model as ModelRow,
  Run as RunRow,
  RunEvent as RunEventRow,
  Shard as ShardRow,
  StateDictEntry as StateDictEntryRow,
  Storage as StorageRow,
  Tensor as TensorRow,
  Upload as UploadRow,
  Worker as WorkerRow,
} from './prisma/client.ts'
