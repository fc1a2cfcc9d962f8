export {
  applyKeyMapping,
  bindStateDict,
  mapKey,
  requireBound,
  type Binding,
  type BindingProposal,
  type BindingReport,
  type BoundParameter,
  type KeyMapping,
  type NestedStateDict,
  type PrefixRename,
  type SizeMismatch,
  type StateDictEntry,
  type StateDictView,
} from './bind/index.ts'
export { isCastable } from './cast.ts'
export type { ColumnFacts, DatasetFacts, DatasetFit, InputFit, LabelFit, Question, SamplesFit } from './dataset-fit.ts'
export { decodeSamples, numberDecoder } from './decode-batch.ts'
export { defaultBatchSize } from './default-batch-size.ts'
export { evaluateShard, type Shard, type ShardResult } from './evaluate-shard.ts'
export { fitDataset, fitSamples } from './fit-dataset.ts'
export { fitSlices, sliceCode, sliceName, type SliceFit } from './fit-slices.ts'
export { checkFinite } from './logits.ts'
export { checkLocations, checkTargets, mapLocation, type MapLocation } from './map-location.ts'
export { predictLogits, type PredictedSamples } from './predict-logits.ts'
export { checkPreprocess, type Preprocess } from './preprocess.ts'
export { prepareParameters, type DenseValues } from './prepare-parameters.ts'
export type { Clock, Progress } from './progress.ts'
export { bytesRows, fileRows, rowBytes, type ColumnFile, type RowReader } from './row-reader.ts'
