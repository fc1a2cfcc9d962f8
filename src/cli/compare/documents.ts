import type { UserError } from '../documents.ts'
import type { ComparisonReport } from './comparison-report.ts'

/** Two checkpoints of a platform side by side. A test checks the document against schema.graphql. */
export interface ComparedCheckpoints {
  readonly compareCheckpoints: Omit<ComparisonReport, 'base' | 'other'> & {
    readonly status: 'PENDING' | 'READY' | 'FAILED'
    readonly error: UserError | null
  }
}
export const COMPARE_CHECKPOINTS = `query CompareCheckpoints($ids: [ID!]!) {
  compareCheckpoints(ids: $ids) {
    status error { code message } added removed equalTensors equalShare
    storages { base other common share }
    tensors {
      key change baseDtype otherDtype baseShape otherShape reason
      distance { notFinite l2 relativeL2 maxAbsDifference cosineSimilarity cosineDistance }
    }
  }
}`
