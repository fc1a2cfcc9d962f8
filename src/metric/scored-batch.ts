/** A batch of a classification task, judged: what the model chose, and how surprised it was by the truth. */
export interface ScoredBatch {
  /** Samples that count: those whose label is `ignoreIndex` do not. */
  readonly n: number
  /** Scores of a sample: 1 for BINARY (the positive class's), else one for each class. */
  readonly columns: number
  /** One code a sample: the true class; for MULTILABEL n × classes of 0, 1, or −1 for a label that does not count. */
  readonly targets: Int32Array
  /** In the layout of `targets`. */
  readonly predicted: Int32Array
  /** n × columns probabilities. */
  readonly probabilities: Float64Array
  /** MULTICLASS: how many classes come before the true one when they are ordered by logit. Else not filled. */
  readonly ranks: Int32Array
  /**
   * Log loss of each sample; NaN where the logits of a sample have no probabilities (NaN, or an infinity under
   * softmax).
   */
  readonly losses: Float64Array
  /** Squared distances of the probabilities from the truth, NaN like the losses. */
  readonly briers: Float64Array
  /** How much each sample counts. */
  readonly weights: Float64Array
  /** `hashRow` of each sample. */
  readonly hashes: Uint32Array
}

/** Arrays that grow to the largest batch and are used for every one. */
export interface Scratch {
  /** Arrays for `n` samples of so many columns, and so many codes each: views, valid until the next call. */
  take(n: number, columns: number, codes: number): ScoredBatch
}

/** No arrays yet. */
export function scratch(): Scratch {
  let samples = -1
  let size = -1
  let arrays = allocate(0, 0)
  return {
    take(n, columns, codes) {
      if (n > samples || n * columns > size) {
        samples = Math.max(n, samples)
        size = Math.max(n * columns, size)
        arrays = allocate(samples, size)
      }
      return view(arrays, n, columns, codes)
    },
  }
}

const allocate = (samples: number, size: number) => ({
  targets: new Int32Array(Math.max(samples, size)),
  predicted: new Int32Array(Math.max(samples, size)),
  probabilities: new Float64Array(size),
  ranks: new Int32Array(samples),
  losses: new Float64Array(samples),
  briers: new Float64Array(samples),
  weights: new Float64Array(samples),
  hashes: new Uint32Array(samples),
})

/** The first `n` samples of a batch. */
export const firstOf = (batch: ScoredBatch, n: number): ScoredBatch =>
  n === batch.n ? batch : view(batch, n, batch.columns, batch.targets.length / batch.n)

/** What `n` samples of so many columns, and so many codes each, take of arrays. */
const view = (arrays: Omit<ScoredBatch, 'n' | 'columns'>, n: number, columns: number, codes: number): ScoredBatch => ({
  n,
  columns,
  targets: arrays.targets.subarray(0, n * codes),
  predicted: arrays.predicted.subarray(0, n * codes),
  probabilities: arrays.probabilities.subarray(0, n * columns),
  ranks: arrays.ranks.subarray(0, n),
  losses: arrays.losses.subarray(0, n),
  briers: arrays.briers.subarray(0, n),
  weights: arrays.weights.subarray(0, n),
  hashes: arrays.hashes.subarray(0, n),
})

const EPSILON = Number.EPSILON

/**
 * −log(p) with p clipped to [ε, 1−ε], ε = 2^−52: sklearn.metrics.log_loss on float64 probabilities. The largest loss of
 * a sample is therefore 36.04.
 */
export const clippedLoss = (p: number): number => -Math.log(p < EPSILON ? EPSILON : p > 1 - EPSILON ? 1 - EPSILON : p)
