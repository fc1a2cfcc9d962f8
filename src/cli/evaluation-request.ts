/** What the columns of a dataset are for, as `CreateDatasetInput` has it. */
export interface DatasetFlags {
  readonly labelColumn?: string
  readonly featureColumns?: readonly string[]
  readonly sliceColumns?: readonly string[]
  readonly weightColumn?: string
  readonly idColumn?: string
  readonly delimiter?: string
  readonly resize?: readonly number[]
  readonly centerCrop?: readonly number[]
  readonly grayscale?: boolean
  readonly mean?: readonly number[]
  readonly std?: readonly number[]
}

/** How metrics are computed, as `StartRunInput` has it. */
export interface MetricFlags {
  readonly slice?: readonly string[]
  readonly keepSamples?: boolean
  readonly topK?: readonly number[]
  readonly beta?: number
  readonly costRatio?: number
  readonly ignoreIndex?: number
  readonly classWeights?: readonly number[]
  readonly thresholds?: readonly number[]
}

/** What `evaluate` was asked to do; paths are those of readable files. */
export interface EvaluationRequest extends DatasetFlags, MetricFlags {
  readonly architecturePath: string
  readonly checkpointPath: string
  readonly datasetPath: string
  readonly task: TaskName
  /** Name of the run. */
  readonly name?: string | undefined
  readonly classes?: readonly string[] | undefined
  readonly batchSize?: number | undefined
  readonly threshold?: number | undefined
  readonly device?: string | undefined
  /** `auto`, `tensorflow` or `onnxruntime`. */
  readonly engine?: string | undefined
  /** `float32` or `float16`. */
  readonly computeDtype?: string | undefined
  readonly mapLocation?: MapLocation | undefined
  readonly stripPrefix?: string | undefined
  readonly renamePrefix?: readonly PrefixRename[] | undefined
  readonly addPrefix?: string | undefined
  readonly strict: boolean
}

/** A prefix of keys and what comes in its place. */
export interface PrefixRename {
  readonly from: string
  readonly to: string
}

/** The question that a model answers. */
export const TASKS = ['binary', 'multiclass', 'multilabel', 'regression'] as const
export type TaskName = (typeof TASKS)[number]

/** `MapLocationInput` of the schema: one device for all storages, or one for each tag. */
export type MapLocation =
  { readonly device: string } | { readonly tags: readonly { readonly from: string; readonly to: string }[] }

/** Is told what happens, to show it. */
export interface EvaluationReporter {
  /** A file is being sent. */
  uploading(fileName: string, sent: number, total: number): void
  /** A file was sent and is being read by the platform. */
  importing(fileName: string): void
  /** What the run is doing. */
  progressed(progress: Progress): void
  /** A line of the run's log. */
  logged(level: string, message: string): void
  /** The display is to end, whatever happened. */
  ended(): void
}

/** How far a run is. */
export interface Progress {
  readonly samples: number
  readonly total: number
  readonly samplesPerSecond: number
  readonly etaSeconds: number | null
  readonly loss: number | null
  readonly f1: number | null
}
