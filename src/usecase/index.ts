export { architectureGraph } from './architecture-graph.ts'
export { bindCheckpoint, type BindCheckpointInput } from './bind-checkpoint.ts'
export { cancelRun, type CancelRunInput } from './cancel-run.ts'
export { claimShard, type ShardClaim } from './claim-shard.ts'
export { collectGarbage, type CollectGarbageInput } from './collect-garbage.ts'
export { compareCheckpoints, type CheckpointComparison } from './compare-checkpoints.ts'
export {
  compareEngines,
  type ComparedEngine,
  type CompareEnginesInput,
  type EngineComparison,
} from './compare-engines.ts'
export {
  changedSamples,
  compareOutcomes,
  loadRunPairs,
  metricDifferences,
  type MetricDifference,
  type RunPair,
  type SampleChange,
} from './compare-runs.ts'
export { completeShard, type ShardOutcome } from './complete-shard.ts'
export { createModel, type CreateModelInput } from './create-model.ts'
export { deleteCheckpoint, type DeleteCheckpointInput, type Deleted } from './delete-checkpoint.ts'
export { deleteDataset, type DeleteDatasetInput } from './delete-dataset.ts'
export { deleteModel, type DeleteModelInput } from './delete-model.ts'
export { deleteRun, type DeleteRunInput } from './delete-run.ts'
export {
  downloadOptions,
  DOWNLOAD_CONTENTS,
  DOWNLOAD_FORMATS,
  type DownloadContent,
  type DownloadFormat,
  type DownloadInput,
  type DownloadOptions,
} from './download/download-options.ts'
export { openDownload, type Download } from './download/open-download.ts'
export { planDownload } from './download/plan-download.ts'
export { deleteUpload, type DeleteUploadInput } from './delete-upload.ts'
export { errnoOf } from './errno.ts'
export { failRun } from './fail-run.ts'
export {
  failInspection,
  finishComparison,
  finishStatistics,
  storeStatistics,
  type ComputedStatistics,
} from './finish-inspection.ts'
export { tryHoldUpload } from './hold-upload.ts'
export { importCheckpoint, type ImportCheckpointInput } from './import-checkpoint.ts'
export { importDataset, type ColumnPreprocess, type ImageOptions, type ImportDatasetInput } from './import-dataset.ts'
export { planInspection, type InspectionPlan, type WantedStatistics } from './inspection-plan.ts'
export type { KeyMappingInput } from './key-mapping-json.ts'
export { DEFAULT_PLATFORM_LIMITS, type PlatformLimits } from './limits.ts'
export { devicesOf, liveWorkers, type WorkerDevice } from './live-workers.ts'
export { writeSamples, type SampleRows } from './keep-samples.ts'
export { loadModelPlan, type ModelChoice, type ModelPlan } from './load-model-plan.ts'
export { loadRunPlan, type PlannedColumn, type RunPlan } from './load-run-plan.ts'
export type { StoredTensor } from './load-state-dict.ts'
export type { LogLevel } from './log-level.ts'
export { createLruCache, type LruCache } from './lru-cache.ts'
export type { MapLocationInput } from './map-location-json.ts'
export {
  fullMetricOptions,
  runMetricOptions,
  type FullMetricOptions,
  type MetricOptionsInput,
} from './metric-options.ts'
export type { Platform } from './platform.ts'
export { sampleImage, storedSamples, type StoredSample } from './stored-samples.ts'
export { previewDataset, previewUpload, type DatasetPreview } from './preview-dataset.ts'
export type { PredictedSample, Prediction } from './prediction.ts'
export { DEFAULT_PREDICTION_LIMITS, type PredictionLimits } from './prediction-limits.ts'
export { packTensors, unpackTensors, type PredictionReply, type PredictionRequest } from './prediction-request.ts'
export { createPredictor, type PredictInput, type Predictor } from './predictor.ts'
export { receiveUpload, type ReceiveUploadInput } from './receive-upload.ts'
export { recordBatchSize } from './record-batch-size.ts'
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
export {
  countSamples,
  runSamples,
  type KeptSample,
  type SampleOrder,
  type SamplePage,
  type SamplePlace,
  type SamplesInput,
} from './run-samples.ts'
export { SpooledElsewhere } from './spooled-here.ts'
export { startRun, type StartRunInput } from './start-run.ts'
export {
  sharesStatement,
  storageShares,
  storageUsage,
  type StorageOwner,
  type StorageShare,
  type StorageUsage,
} from './storage-usage.ts'
export { timeOrderedId } from './time-ordered-id.ts'
export {
  storageUsers,
  verifyStorages,
  type StorageUser,
  type StorageVerdict,
  type VerifyInput,
  type VerifyReport,
  type VerifyScope,
} from './verify-storages.ts'
export { statisticsOf } from './statistics-json.ts'
export { sweepUploads, type SweptUploads } from './sweep-uploads.ts'
export { viewHash, type StoredView } from './view-hash.ts'
export { watchInspections } from './watch-inspections.ts'
export { watchRuns } from './watch-runs.ts'
export { placesOf, type WishInput } from './wish.ts'
