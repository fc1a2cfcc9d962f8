// The GraphQL operations about what is stored, with the shapes of their answers; as documents.ts.
import type { UserError } from './documents.ts'

const ERRORS = 'errors { code message }'

/** What something takes of what is stored, in bytes. */
export interface Share {
  readonly logicalBytes: number
  readonly uniqueBytes: number
  readonly sharedBytes: number
  readonly storages: number
}
const SHARE = 'storage { logicalBytes uniqueBytes sharedBytes storages }'

export interface GetStorageUsage {
  readonly storageUsage: {
    readonly logicalBytes: number
    readonly storedBytes: number
    readonly uniqueBytes: number
    readonly sharedBytes: number
    readonly reclaimableBytes: number
    readonly storages: number
    readonly reclaimableStorages: number
    readonly damagedStorages: number
  }
}
export const STORAGE_USAGE = `query StorageUsage {
  storageUsage {
    logicalBytes storedBytes uniqueBytes sharedBytes reclaimableBytes storages reclaimableStorages damagedStorages
  }
}`

interface Page<Node> {
  readonly nodes: readonly Node[]
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null }
}
const PAGE = 'pageInfo { hasNextPage endCursor }'

/** Something with a name that takes space. */
export interface Stored {
  readonly id: string
  readonly name: string
  readonly version?: number
  readonly storage: Share
}
export interface ListModelStorage {
  readonly models: Page<Stored>
}
export const MODEL_STORAGE = `query ModelStorage($after: String) {
  models(first: 50, after: $after) { nodes { id name ${SHARE} } ${PAGE} }
}`
export interface ListDatasetStorage {
  readonly datasets: Page<Stored>
}
export const DATASET_STORAGE = `query DatasetStorage($after: String) {
  datasets(first: 50, after: $after) { nodes { id name version ${SHARE} } ${PAGE} }
}`
export interface ListCheckpointStorage {
  readonly checkpoints: Page<Stored>
}
export const CHECKPOINT_STORAGE = `query CheckpointStorage($modelId: ID, $after: String) {
  checkpoints(modelId: $modelId, first: 50, after: $after) { nodes { id name ${SHARE} } ${PAGE} }
}`

export interface CollectGarbage {
  readonly collectGarbage: {
    readonly garbage: { readonly storages: number; readonly bytes: number; readonly finished: boolean } | null
    readonly errors: readonly UserError[]
  }
}
export const COLLECT_GARBAGE = `mutation CollectGarbage($input: CollectGarbageInput!) {
  collectGarbage(input: $input) { garbage { storages bytes finished } ${ERRORS} }
}`

/** The answer of each deletion, under the mutation's name. */
export interface DeletionAnswer {
  readonly deleted: { readonly id: string; readonly runs: number; readonly checkpoints: number } | null
  readonly errors: readonly UserError[]
}
const DELETED = `{ deleted { id runs checkpoints } ${ERRORS} }`
export const DELETE_RUN = `mutation DeleteRun($input: DeleteRunInput!) { answer: deleteRun(input: $input) ${DELETED} }`
export const DELETE_CHECKPOINT = `mutation DeleteCheckpoint($input: DeleteCheckpointInput!) {
  answer: deleteCheckpoint(input: $input) ${DELETED}
}`
export const DELETE_DATASET = `mutation DeleteDataset($input: DeleteDatasetInput!) {
  answer: deleteDataset(input: $input) ${DELETED}
}`
export const DELETE_MODEL = `mutation DeleteModel($input: DeleteModelInput!) {
  answer: deleteModel(input: $input) ${DELETED}
}`

/** A storage that was verified. */
export interface Verdict {
  readonly sha256: string
  readonly bytes: number
  readonly status: 'OK' | 'DAMAGED' | 'MISSING'
  readonly problem: string | null
  readonly usedBy: readonly { readonly id: string; readonly name: string; readonly version?: number }[]
}
/** The answer of each verification, under the mutation's name. */
export interface VerificationAnswer {
  readonly report: {
    readonly storages: readonly Verdict[]
    readonly totalStorages: number
    readonly totalBytes: number
    readonly next: string | null
  } | null
  readonly errors: readonly UserError[]
}
const REPORT = `{
  report {
    storages {
      sha256 bytes status problem
      usedBy { id ... on Checkpoint { name } ... on Dataset { name version } }
    }
    totalStorages totalBytes next
  }
  ${ERRORS}
}`
export const VERIFY_CHECKPOINT = `mutation VerifyCheckpoint($input: VerifyCheckpointInput!) {
  answer: verifyCheckpoint(input: $input) ${REPORT}
}`
export const VERIFY_DATASET = `mutation VerifyDataset($input: VerifyDatasetInput!) {
  answer: verifyDataset(input: $input) ${REPORT}
}`
export const VERIFY_STORAGES = `mutation VerifyStorages($input: VerifyStoragesInput!) {
  answer: verifyStorages(input: $input) ${REPORT}
}`
