export { readCheckpoint } from './read-checkpoint.ts'
export { DEFAULT_CHECKPOINT_LIMITS, type CheckpointLimits, type TensorLimits } from './limits.ts'
export type { PickleLimits } from './pickle/limits.ts'
export { findStateDicts } from './find-state-dicts.ts'
export { denseBytes, tensorBytes, type ReadRange } from './dense-bytes.ts'
export type {
  Checkpoint,
  CheckpointFormat,
  GlobalReference,
  StateDict,
  StorageEntry,
  TensorEntry,
  TensorView,
  ValueNode,
  ValueTree,
} from './value-tree.ts'
export {
  childCount,
  entriesOf,
  nodeAt,
  previewOf,
  type NodeSource,
  type TreeEntry,
  type TreePage,
} from './browse-tree.ts'
export { archiveFacts, type ArchiveFacts } from './archive-facts.ts'
export { scanGlobals, scannedGlobal, type ScannedGlobal } from './scan-globals.ts'
