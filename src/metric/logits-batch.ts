import { invariant } from '../error.ts'

/** Targets as numbers. Codes of classes are whole numbers in any of these. */
export type Targets = Float64Array | Float32Array | Int32Array | Uint8Array

/** What a model said about `n` samples, and what is true. */
export interface LogitsBatch {
  /** Row of the first sample in its data set: what a sample counts for in a bootstrap depends on its row. */
  readonly first: number
  /** Row of each sample, where they do not follow each other. */
  readonly rows?: Float64Array | undefined
  /** Samples; may be 0. */
  readonly n: number
  /**
   * Numbers that the model gives for a sample: 1 or 2 for BINARY, the number of classes for MULTICLASS and MULTILABEL,
   * the number of outputs for REGRESSION.
   */
  readonly width: number
  /** n × width, row-major, before any activation. */
  readonly logits: Float32Array
  /**
   * BINARY (0 or 1) and MULTICLASS (class index): one a sample. MULTILABEL (0 or 1) and REGRESSION: n × width,
   * row-major.
   */
  readonly targets: Targets
  /** How much each sample counts: 1 where there are none. */
  readonly weights?: Float64Array | undefined
}

/** Row of the i-th sample of a batch. */
export const rowAt = ({ first, rows }: LogitsBatch, i: number): number => rows?.[i] ?? first + i

/** Whether the arrays of a batch have the lengths they promise: the caller's bug otherwise. */
export function checkLengths({ n, width, logits, targets, weights }: LogitsBatch, targetsPerSample: number): void {
  invariant(
    logits.length === n * width && targets.length === n * targetsPerSample && (weights?.length ?? n) === n,
    `a batch of ${n} x ${width} has ${logits.length} logits, ${targets.length} targets and ${weights?.length ?? n} weights, expected ${n * width}, ${n * targetsPerSample} and ${n}`,
  )
}
