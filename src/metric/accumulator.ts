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
}

/** The kinds of question a model answers. */
export type Task = 'BINARY' | 'MULTICLASS' | 'MULTILABEL' | 'REGRESSION'

/** How per-class values become one. `null` is a value that needs no averaging, or one class's. */
export type Average = 'micro' | 'macro' | 'weighted' | 'samples'

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
}
