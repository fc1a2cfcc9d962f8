export { readCheckpoint } from './read-checkpoint.ts'
export { readCheckpointShards } from './sharded/read-checkpoint-shards.ts'
export { readShardIndex, type ShardIndex } from './sharded/shard-index.ts'
export { shardedSha256, type HashedFile } from './sharded/sharded-sha256.ts'
export { DEFAULT_CHECKPOINT_LIMITS, type CheckpointLimits, type ShardedLimits, type TensorLimits } from './limits.ts'
export type { PickleLimits } from './pickle/limits.ts'
export { compactStorages } from './compact-storages.ts'
export { findStateDicts } from './find-state-dicts.ts'
export { opaqueTensors } from './opaque-tensors.ts'
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
