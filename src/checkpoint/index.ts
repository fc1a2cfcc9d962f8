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
  changeFloats,
  layoutSafetensors,
  layoutTorchZip,
  nodeAtPath,
  readLayout,
  relocate,
  renameKeys,
  rootedAt,
  writtenValue,
  type DataSegment,
  type FileLayout,
  type LayoutSource,
  type StorageConversion,
  type StorageRange,
  type WrittenStorage,
  type WrittenValue,
} from './write/index.ts'
