import type { Random } from './random.ts'

/**
 * A metric, or a family that shares its state. The state is plain JSON, so that a shard's result can be stored and
 * merged anywhere; `merge` is associative and commutative with identity `empty()`.
 */
export interface Accumulator<Batch, State, Value> {
  empty(): State
  /** Counts a batch into `state`, in place, and returns it. */
  update(state: State, batch: Batch): State
  merge(a: State, b: State): State
  compute(state: State): Value
  /**
   * A bootstrap replicate: the state as it might have been, had as many samples been drawn from where these came from. Each sample
   * counts Poisson(1) times (Hanley and MacGibbon, "Creating non-parametric bootstrap samples using Poisson frequencies", 2006).
   */
  replicate(state: State, random: Random): State
}

/** The kinds of question a model answers. */
export type Task = 'BINARY' | 'MULTICLASS' | 'MULTILABEL' | 'REGRESSION'

/** How per-class values become one. `null` is a value that needs no averaging, or one class's. */
export type Average = 'micro' | 'macro' | 'weighted' | 'samples'

/** Where a metric would lie, at the level of confidence that was asked for, if the data were drawn again. */
export interface Interval {
  readonly low: number
  readonly high: number
  readonly method: 'WILSON' | 'BOOTSTRAP'
}

/**
 * A named value of a run. `value` is null where the metric is undefined, and `reason` says why: never a silent 0, as
 * scikit-learn's zero_division=nan.
 */
export interface MetricValue {
  readonly name: string
  readonly average: Average | null
  /** Class name, for a per-class value. */
  readonly class: string | null
  readonly value: number | null
  readonly reason: string | null
  /** Null where the value is undefined, where the samples leave none to tell, and where no interval was asked for. */
  readonly interval: Interval | null
  /** How far the exact value may be from this one, because scores were counted in bins; null for an exact value. */
  readonly binningError: number | null
}
