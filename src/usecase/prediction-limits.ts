/** What a prediction may take. Each is checked before anything of that size is allocated, or anybody is asked. */
export interface PredictionLimits {
  /** Samples of one prediction. */
  readonly samples: number
  /** Bytes of its inputs, as the engine takes them. */
  readonly inputBytes: number
  /** Numbers that the model answers: samples times logits. */
  readonly logits: number
  /** Milliseconds in which a worker has to answer. */
  readonly timeoutMs: number
  /** Predictions that one API process waits for at a time. */
  readonly atOnce: number
}

/** The limits of a platform that was not told otherwise. docs/graphql.md lists them. */
export const DEFAULT_PREDICTION_LIMITS: PredictionLimits = {
  samples: 1_000,
  inputBytes: 16 * 2 ** 20,
  logits: 100_000,
  timeoutMs: 30_000,
  atOnce: 256,
}
