import type { ValueNode } from '../checkpoint/index.ts'
import type { ErrorCode } from '../error.ts'
import type { BindingProposal, BindingReport } from '../evaluation/index.ts'
import type { Prisma, RunEventItem } from '../store/index.ts'
import type {
  BindCheckpointInput,
  DownloadInput,
  KeptSample,
  PredictedSample,
  Prediction,
  RunPair,
  SamplesInput,
  StorageShare,
  StorageUsage,
  StorageVerdict,
  VerifyReport,
} from '../usecase/index.ts'
import type { RunRecord } from './loader/index.ts'
import type { Connection, PageInfo } from './page.ts'

// What resolvers get as the parent of a field, where it is no row. codegen.ts names these types; they are here and not with their
// resolvers, for those import what is generated.

/** What `BindingReport` of the schema is made of. */
export type BindingReportRecord = BindingReport

/** What `BindingProposal` of the schema is made of. */
export type BindingProposalRecord = BindingProposal

/** What `Prediction` of the schema is made of. */
export type PredictionRecord = Prediction

/** What `PredictedSample` of the schema is made of. */
export type PredictedSampleRecord = PredictedSample

/** What `StorageUsage` of the schema is made of. */
export type StorageUsageRecord = StorageUsage

/** What `StorageShare` of the schema is made of. */
export type StorageShareRecord = StorageShare

/** What `StorageVerdict` of the schema is made of. */
export type StorageVerdictRecord = StorageVerdict

/** What `VerificationReport` of the schema is made of. */
export type VerificationReportRecord = VerifyReport

/** A page of samples, and what it is a page of. */
export interface SampleConnectionRecord {
  readonly edges: readonly { readonly cursor: string; readonly node: KeptSample }[]
  readonly nodes: readonly KeptSample[]
  readonly pageInfo: PageInfo
  readonly input: SamplesInput
}

/** What `Sample` of the schema is made of. */
export type SampleRecord = KeptSample

/** What `RunDifference` of the schema is made of. */
export type RunDifferenceRecord = RunPair

/** What `RunComparison` of the schema is made of. */
export interface RunComparisonRecord {
  readonly base: RunRecord
  readonly others: readonly RunPair[]
}

/** A page of runs, and which runs it is a page of. */
export interface RunConnectionRecord extends Connection<RunRecord> {
  readonly where: Prisma.RunWhereInput
}

/** An event with the run that it belongs to. */
export interface RunEventRecord {
  readonly runId: string
  readonly item: RunEventItem
}

/** An expected failure of a mutation. */
export interface UserErrorRecord {
  readonly code: ErrorCode
  readonly message: string
  readonly path: readonly string[] | null
}

/** What `startRun` answers; the binding report is made when it is asked for. */
export interface StartRunAnswer {
  readonly run: RunRecord | null
  readonly errors: readonly UserErrorRecord[]
  /** What to report the binding of; null when the input does not say. */
  readonly binding: BindCheckpointInput | null
}

/** A download that was asked for. */
export interface DownloadRecord {
  readonly checkpointId: string
  readonly input: DownloadInput
}

/** An entry of a container in a checkpoint's value tree. */
export interface ValueEntryRecord {
  readonly checkpointId: string
  readonly key: string
  readonly position: number
  readonly node: ValueNode
}
