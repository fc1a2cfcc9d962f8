export { architectureGraph } from './architecture-graph.ts'
export { bindCheckpoint, type BindCheckpointInput } from './bind-checkpoint.ts'
export { cancelRun, type CancelRunInput } from './cancel-run.ts'
export { claimShard, type ShardClaim } from './claim-shard.ts'
export { completeShard, type ShardOutcome } from './complete-shard.ts'
export { createModel, type CreateModelInput } from './create-model.ts'
export { deleteUpload, type DeleteUploadInput } from './delete-upload.ts'
export { errnoOf } from './errno.ts'
export { failRun } from './fail-run.ts'
export { tryHoldUpload } from './hold-upload.ts'
export { importCheckpoint, type ImportCheckpointInput } from './import-checkpoint.ts'
export { importDataset, type ImportDatasetInput } from './import-dataset.ts'
export type { KeyMappingInput } from './key-mapping-json.ts'
export { DEFAULT_PLATFORM_LIMITS, type PlatformLimits } from './limits.ts'
export { liveWorkers, type WorkerDevice } from './live-workers.ts'
export { loadRunPlan, type PlannedColumn, type RunPlan } from './load-run-plan.ts'
export type { StoredTensor } from './load-state-dict.ts'
export { logRun, type LogLevel } from './log-run.ts'
export type { MapLocationInput } from './map-location-json.ts'
export type { Platform } from './platform.ts'
export { receiveUpload, type ReceiveUploadInput } from './receive-upload.ts'
export { recordDevice, type UsedDevice } from './record-device.ts'
export { releaseShard } from './release-shard.ts'
export { reportProgress, type RunProgress, type ShardProgress } from './report-progress.ts'
export type { ArchitectureInput } from './resolve-architecture.ts'
export {
  appendUpload,
  createUpload,
  uploadState,
  type AppendUploadInput,
  type CreateUploadInput,
  type UploadState,
} from './resumable-upload.ts'
export { runningHashes, type RunningHashes } from './running-hash.ts'
export { SpooledElsewhere } from './spooled-here.ts'
export { startRun, type StartRunInput } from './start-run.ts'
export { sweepUploads, type SweptUploads } from './sweep-uploads.ts'
export { timeOrderedId } from './time-ordered-id.ts'
export { watchRuns } from './watch-runs.ts'
