import { DEFAULT_CHECKPOINT_LIMITS, type CheckpointLimits } from '../checkpoint/index.ts'
import { DEFAULT_PREDICTION_LIMITS, type PredictionLimits } from './prediction-limits.ts'

/** Sizes and times that a client cannot exceed. Each is checked before anything of that size is allocated. */
export interface PlatformLimits {
  /** Bytes of one uploaded file. */
  readonly uploadBytes: number
  /** Bytes of the spool's file system that uploads leave free. */
  readonly spoolReserveBytes: number
  /** Bytes of all uploads in a spool together; one that is being received counts with the length that it announced. */
  readonly spoolBytes: number
  /** Uploads in a spool. */
  readonly spoolUploads: number
  /** Milliseconds that an upload waits to be imported, and that one that can be resumed waits for its next byte. */
  readonly uploadLifetimeMs: number
  /** Milliseconds without a byte after which an upload that cannot be resumed counts as abandoned. */
  readonly uploadIdleMs: number
  /** What a checkpoint file may hold. */
  readonly checkpoint: CheckpointLimits
  /** Bytes of an ONNX file: it is parsed in memory, and protobuf itself ends at 2 GiB. */
  readonly onnxBytes: number
  /** Bytes of a layer list, as a file or as JSON. */
  readonly layersBytes: number
  /** Characters of a name. */
  readonly nameLength: number
  /** Characters of a description. */
  readonly descriptionLength: number
  /** Class names of a model. */
  readonly classes: number
  /** Samples of one batch. */
  readonly batchSize: number
  /** Samples that one worker evaluates at a time: a larger dataset is several shards, which several workers share. */
  readonly shardRows: number
  /** Bytes of what a run keeps of its samples. */
  readonly keptSamplesBytes: number
  readonly prediction: PredictionLimits
}

/** The limits of a platform that was not told otherwise. */
export const DEFAULT_PLATFORM_LIMITS: PlatformLimits = {
  uploadBytes: 64 * 2 ** 30,
  spoolReserveBytes: 256 * 2 ** 20,
  spoolBytes: 256 * 2 ** 30,
  spoolUploads: 10_000,
  uploadLifetimeMs: 24 * 3600_000,
  uploadIdleMs: 10 * 60_000,
  checkpoint: DEFAULT_CHECKPOINT_LIMITS,
  onnxBytes: 2 ** 31 - 1,
  layersBytes: 4 * 2 ** 20,
  nameLength: 200,
  descriptionLength: 10_000,
  classes: 100_000,
  batchSize: 65_536,
  shardRows: 1_000_000,
  keptSamplesBytes: 256 * 2 ** 20,
  prediction: DEFAULT_PREDICTION_LIMITS,
}
