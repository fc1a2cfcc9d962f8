import { AppError } from '../error.ts'
import type { Targets } from './logits-batch.ts'

/** A batch of a classification task, judged: what the model chose, and how surprised it was by the truth. */
export interface ScoredBatch {
  readonly n: number
  /** One code a sample: the true class; for MULTILABEL n × classes of 0 or 1. */
  readonly targets: Int32Array
  /** In the layout of `targets`. */
  readonly predicted: Int32Array
  /**
   * Log loss of each sample; NaN where the logits of a sample have no probabilities (NaN, or an infinity under
   * softmax).
   */
  readonly losses: Float64Array
}

/** Arrays that grow to the largest batch and are used for every one. */
export interface Scratch {
  /** `codes` predictions and targets, `n` losses: views, valid until the next call. */
  take(n: number, codes: number): ScoredBatch
}

/** No arrays yet. */
export function scratch(): Scratch {
  let losses = new Float64Array(0)
  let targets = new Int32Array(0)
  let predicted = new Int32Array(0)
  return {
    take(n, codes) {
      if (losses.length < n) losses = new Float64Array(n)
      if (targets.length < codes) {
        targets = new Int32Array(codes)
        predicted = new Int32Array(codes)
      }
      return {
        n,
        targets: targets.subarray(0, codes),
        predicted: predicted.subarray(0, codes),
        losses: losses.subarray(0, n),
      }
    },
  }
}

/**
 * Copies targets that have to be class codes.
 * @throws AppError DATASET_LABEL_UNKNOWN for anything that is not a whole number of 0..classes-1.
 */
export function copyCodes(from: Targets, to: Int32Array, classes: number, perSample: number): void {
  for (let i = 0; i < to.length; i++) {
    const code = from[i]!
    if (!(code >= 0 && code < classes) || code !== Math.floor(code))
      throw new AppError(
        'DATASET_LABEL_UNKNOWN',
        `sample ${Math.floor(i / perSample)} of the batch has the label ${code}; the labels of this model are the whole numbers 0 to ${classes - 1}`,
      )
    to[i] = code
  }
}

const EPSILON = Number.EPSILON

/**
 * −log(p) with p clipped to [ε, 1−ε], ε = 2^−52: sklearn.metrics.log_loss on float64 probabilities. The largest loss of
 * a sample is therefore 36.04.
 */
export const clippedLoss = (p: number): number => -Math.log(p < EPSILON ? EPSILON : p > 1 - EPSILON ? 1 - EPSILON : p)
