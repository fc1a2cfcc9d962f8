// Every GraphQL operation that the command line sends, with the shape of its answer. A test checks them against schema.graphql.
import type { Progress } from './evaluation-request.ts'

/** An expected failure of a mutation. */
export interface UserError {
  readonly code: string
  readonly message: string
}

/** Where a run is in its life. */
export type RunStatus = 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED'

const ERRORS = 'errors { code message }'

/** A model by its name, and a page of its checkpoints. */
export interface FindModel {
  readonly model: { readonly id: string; readonly checkpoints: CheckpointPage } | null
}
interface CheckpointPage {
  readonly nodes: readonly { readonly id: string; readonly fileSha256: string }[]
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null }
}
export const FIND_MODEL = `query FindModel($name: String!, $after: String) {
  model(name: $name) {
    id
    checkpoints(first: 100, after: $after) { nodes { id fileSha256 } pageInfo { hasNextPage endCursor } }
  }
}`

export interface CreateModel {
  readonly createModel: { readonly model: { readonly id: string } | null; readonly errors: readonly UserError[] }
}
export const CREATE_MODEL = `mutation CreateModel($input: CreateModelInput!) {
  createModel(input: $input) { model { id } ${ERRORS} }
}`

export interface CreateCheckpoint {
  readonly createCheckpoint: {
    readonly checkpoint: { readonly id: string } | null
    readonly errors: readonly UserError[]
  }
}
export const CREATE_CHECKPOINT = `mutation CreateCheckpoint($input: CreateCheckpointInput!) {
  createCheckpoint(input: $input) { checkpoint { id } ${ERRORS} }
}`

export interface FindDataset {
  readonly dataset: { readonly id: string; readonly fileSha256: string } | null
}
export const FIND_DATASET = `query FindDataset($name: String!) { dataset(name: $name) { id fileSha256 } }`

export interface CreateDataset {
  readonly createDataset: { readonly dataset: { readonly id: string } | null; readonly errors: readonly UserError[] }
}
export const CREATE_DATASET = `mutation CreateDataset($input: CreateDatasetInput!) {
  createDataset(input: $input) { dataset { id } ${ERRORS} }
}`

/** What a proposal changes about the keys of a checkpoint. */
export interface ProposedMapping {
  readonly stripPrefix: string | null
  readonly renamePrefixes: readonly { readonly from: string; readonly to: string }[]
  readonly addPrefix: string | null
}
export interface StartRun {
  readonly startRun: {
    readonly run: { readonly id: string } | null
    readonly binding: {
      readonly proposals: readonly ProposedMapping[]
    } | null
    readonly errors: readonly UserError[]
  }
}
export const START_RUN = `mutation StartRun($input: StartRunInput!) {
  startRun(input: $input) { run { id } binding { proposals { stripPrefix renamePrefixes { from to } addPrefix } } ${ERRORS} }
}`

export interface CancelRun {
  readonly cancelRun: {
    readonly run: { readonly id: string; readonly status: RunStatus } | null
    readonly errors: readonly UserError[]
  }
}
export const CANCEL_RUN = `mutation CancelRun($input: CancelRunInput!) {
  cancelRun(input: $input) { run { id status } ${ERRORS} }
}`

/** An event of a run. */
export interface RunProgressEvent {
  readonly runProgress: {
    readonly seq: number
    readonly status: RunStatus
    readonly progress: Progress | null
    readonly log: { readonly level: string; readonly message: string } | null
  }
}
export const RUN_PROGRESS = `subscription RunProgress($id: ID!, $after: Int) {
  runProgress(id: $id, after: $after) {
    seq status
    progress { samples total samplesPerSecond etaSeconds loss f1 }
    log { level message }
  }
}`

/** A value of a run; `class` and `average` are null for a value over everything. */
export interface MetricValue {
  readonly name: string
  readonly average: string | null
  readonly class: string | null
  readonly value: number | null
  /** With 95 % confidence. Lists of runs leave it out. */
  readonly interval?: { readonly low: number; readonly high: number } | null
}
/** Metrics over the samples that have one value of a slicing key. */
export interface Slice {
  readonly key: string
  readonly value: string
  readonly samples: number
  readonly metrics: readonly { readonly name: string; readonly value: number | null }[]
}
/** What is there of a run when it has ended. */
export interface EndedRun {
  readonly id: string
  readonly name: string | null
  readonly status: RunStatus
  readonly samples: number
  readonly durationMs: number | null
  readonly samplesPerSecond: number | null
  readonly device: string | null
  readonly engine: string | null
  readonly metrics: readonly MetricValue[]
  /** The worst of each key first. */
  readonly slices?: readonly Slice[]
  /** Rows are true classes; one 2×2 for each label for MULTILABEL. */
  readonly confusionMatrix: readonly (readonly number[])[] | readonly (readonly (readonly number[])[])[] | null
  readonly error: UserError | null
  readonly model: { readonly classes: readonly string[]; readonly task: string }
}
export interface GetRun {
  readonly run: EndedRun | null
}
export const GET_RUN = `query GetRun($id: ID!) {
  run(id: $id) {
    id name status samples durationMs samplesPerSecond device engine
    metrics { name average class value interval { low high method } }
    slices { key value samples metrics { name average value interval { low high method } } }
    confusionMatrix error { code message }
    model { classes task }
  }
}`

/** A line of `nograd runs`. */
export interface ListedRun {
  readonly id: string
  readonly name: string | null
  readonly status: RunStatus
  readonly samples: number
  readonly total: number
  readonly createdAt: string
  readonly durationMs: number | null
  readonly model: { readonly name: string; readonly task: string }
  readonly checkpoint: { readonly name: string }
  readonly dataset: { readonly name: string; readonly version: number }
  readonly metrics: readonly MetricValue[]
}
export interface ListRuns {
  readonly runs: { readonly nodes: readonly ListedRun[] }
}
export const LIST_RUNS = `query ListRuns($first: Int!) {
  runs(first: $first) {
    nodes {
      id name status samples total createdAt durationMs
      model { name task }
      checkpoint { name }
      dataset { name version }
      metrics(names: ["accuracy", "f1", "mse", "r2"]) { name average class value }
    }
  }
}`

/** Uploads of a file that wait, by its SHA-256. */
export interface FindUploads {
  readonly uploads: {
    readonly nodes: readonly { readonly id: string; readonly status: string; readonly resumable: boolean }[]
  }
}
export const FIND_UPLOADS = `query FindUploads($sha256: String!) {
  uploads(sha256: $sha256, first: 20) { nodes { id status resumable } }
}`

/** Whether anything but the sample is there. */
export interface SampleState {
  readonly models: { readonly nodes: readonly { readonly name: string }[] }
  readonly runs: { readonly nodes: readonly { readonly id: string }[] }
}
export const SAMPLE_STATE = `query SampleState {
  models(first: 2) { nodes { name } }
  runs(first: 1, filter: { status: [SUCCEEDED] }) { nodes { id } }
}`

/** A model's checkpoints by name, a page at a time. */
export interface FindCheckpoints {
  readonly model: {
    readonly checkpoints: {
      readonly nodes: readonly { readonly id: string; readonly name: string }[]
      readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null }
    }
  } | null
}
export const FIND_CHECKPOINTS = `query FindCheckpoints($id: ID, $name: String, $after: String) {
  model(id: $id, name: $name) {
    checkpoints(first: 100, after: $after) { nodes { id name } pageInfo { hasNextPage endCursor } }
  }
}`

/** What a checkpoint says about one sample. */
export interface PredictedSample {
  readonly index: number
  readonly row: number | null
  readonly logits: readonly (number | null)[]
  readonly probabilities: readonly number[] | null
  readonly labels: readonly string[]
  readonly trueLabels: readonly string[] | null
  readonly trueValues: readonly number[] | null
}
export interface Prediction {
  readonly classes: readonly string[]
  readonly activation: string
  readonly device: string
  readonly engine: string
  readonly engineVersion: string
  readonly warm: boolean
  readonly milliseconds: number
  readonly workerMilliseconds: number
  readonly engineMilliseconds: number
  readonly notes: readonly string[]
  readonly samples: readonly PredictedSample[]
}
export interface Predict {
  readonly predict: { readonly prediction: Prediction | null; readonly errors: readonly UserError[] }
}
export const PREDICT = `mutation Predict($input: PredictInput!) {
  predict(input: $input) {
    prediction {
      classes activation device engine engineVersion warm milliseconds workerMilliseconds engineMilliseconds notes
      samples { index row logits probabilities labels trueLabels trueValues }
    }
    ${ERRORS}
  }
}`

/** How an engine answers, beside the reference. */
export interface ComparedEngine {
  readonly engine: string
  readonly version: string
  readonly device: string
  readonly computeDtype: string
  readonly largestDifference: number | null
  readonly meanDifference: number | null
  readonly relativeDifference: number | null
  readonly labelFlips: number | null
  readonly samplesPerSecond: number | null
  readonly error: UserError | null
}
export interface EngineComparison {
  readonly samples: number
  readonly reference: string
  readonly engines: readonly ComparedEngine[]
}
export interface CompareEngines {
  readonly compareEngines: EngineComparison
}
export const COMPARE_ENGINES = `query CompareEngines($input: CompareEnginesInput!) {
  compareEngines(input: $input) {
    samples reference
    engines {
      engine version device computeDtype largestDifference meanDifference relativeDifference labelFlips samplesPerSecond
      error { code message }
    }
  }
}`

const DOWNLOAD_VARIABLES =
  '$id: ID!, $format: DownloadFormat, $content: DownloadContent, $mapLocation: MapLocationInput, $dtype: DownloadDtype, $keyMapping: KeyMappingInput'
const DOWNLOAD_ARGUMENTS =
  'format: $format, content: $content, mapLocation: $mapLocation, dtype: $dtype, keyMapping: $keyMapping'

/** A file that a checkpoint can be downloaded as. */
export interface FindDownload {
  readonly checkpoint: {
    readonly id: string
    readonly name: string
    readonly download: { readonly url: string; readonly fileName: string; readonly byteLength: number }
  }
}
export const FIND_DOWNLOAD = `query FindDownload(${DOWNLOAD_VARIABLES}) {
  checkpoint(id: $id) { id name download(${DOWNLOAD_ARGUMENTS}) { url fileName byteLength } }
}`

/** The hash of such a file, which may take a while. */
export interface DownloadHash {
  readonly checkpoint: { readonly download: { readonly sha256: string } }
}
export const DOWNLOAD_HASH = `query DownloadHash(${DOWNLOAD_VARIABLES}) {
  checkpoint(id: $id) { download(${DOWNLOAD_ARGUMENTS}) { sha256 } }
}`
