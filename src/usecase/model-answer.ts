import type { Task } from '../metric/index.ts'

/** Classes that the codes of one sample mean: MULTILABEL has 0 or 1 for each label, the others a class index. */
export const classIndexes = (task: Task, codes: readonly number[]): readonly number[] =>
  task === 'MULTILABEL' ? codes.flatMap((code, label) => (code === 1 ? [label] : [])) : codes

/** What a model said about a sample, and what is true. */
export interface ModelAnswer {
  /** Float32 values. -Infinity is possible for a class that is ruled out. */
  readonly logits: readonly number[]
  /** By class; null without an activation. */
  readonly probabilities: readonly number[] | null
  /** Names of the classes that were chosen; empty for REGRESSION, and perhaps for MULTILABEL. */
  readonly labels: readonly string[]
  /** What is true; null where that is not known. */
  readonly trueLabels: readonly string[] | null
  /** What is true for REGRESSION; null where that is not known. */
  readonly trueValues: readonly number[] | null
}
