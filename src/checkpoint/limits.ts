import {
  DEFAULT_SAFETENSORS_LIMITS,
  DEFAULT_ZIP_LIMITS,
  type SafetensorsLimits,
  type ZipLimits,
} from '../container/index.ts'
import { DEFAULT_PICKLE_LIMITS, type PickleLimits } from './pickle/limits.ts'

/** Limits of tensors, whatever the format. */
export interface TensorLimits {
  readonly maxTensors: number
  /** Dimensions of one tensor. */
  readonly maxRank: number
  /**
   * Bytes of a view that is larger than its storage. `expand` makes such views with a stride of 0, and they are legal;
   * but a few bytes of file can stand for any number of elements.
   */
  readonly maxExpandedBytes: number
}

/** Limits of a sharded checkpoint. */
export interface ShardedLimits {
  /** Files that an index names; all are open at once. */
  readonly maxShards: number
  /** Bytes of the index, which is held in memory. */
  readonly maxIndexBytes: number
}

/** Everything that bounds the reading of a checkpoint. What exceeds a limit is refused with LIMIT_EXCEEDED. */
export interface CheckpointLimits {
  readonly zip: ZipLimits
  readonly safetensors: SafetensorsLimits
  readonly pickle: PickleLimits
  readonly tensor: TensorLimits
  readonly sharded: ShardedLimits
}

/** Generous for real checkpoints. The size of the file itself is limited where it is uploaded. */
export const DEFAULT_CHECKPOINT_LIMITS: CheckpointLimits = {
  zip: DEFAULT_ZIP_LIMITS,
  safetensors: DEFAULT_SAFETENSORS_LIMITS,
  pickle: DEFAULT_PICKLE_LIMITS,
  tensor: { maxTensors: 500_000, maxRank: 64, maxExpandedBytes: 2 ** 30 },
  sharded: { maxShards: 512, maxIndexBytes: 64 * 2 ** 20 },
}
