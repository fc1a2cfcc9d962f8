import type { Accumulator } from './accumulator.ts'
import { addCounts } from './class-counts.ts'
import { exactAdder, mergeSums, ZERO_SUM, type ExactSum } from './exact-sum.ts'
import type { ScoredBatch } from './scored-batch.ts'

/** A sum over the samples for which a ratio is defined. */
export type SampleRatio = { sum: ExactSum; defined: number }

/** Counts of MULTILABEL predictions. */
export type LabelCounts = {
  samples: number
  /** Samples whose labels are all right. */
  exact: number
  /** Of each label, as in `ClassCounts`. */
  readonly hits: number[]
  readonly predicted: number[]
  readonly actual: number[]
  /** Precision, recall and F1 of each sample's set of labels. */
  readonly precision: SampleRatio
  readonly recall: SampleRatio
  readonly f1: SampleRatio
}

/** Counts predictions of any number of labels a sample. */
export function labelCounts(labels: number): Accumulator<ScoredBatch, LabelCounts, LabelCounts> {
  const zeros = (): number[] => new Array<number>(labels).fill(0)
  const nothing = (): SampleRatio => ({ sum: ZERO_SUM, defined: 0 })
  const sums = { precision: exactAdder(), recall: exactAdder(), f1: exactAdder() }
  const ratios = ['precision', 'recall', 'f1'] as const
  return {
    empty: () => ({
      samples: 0,
      exact: 0,
      hits: zeros(),
      predicted: zeros(),
      actual: zeros(),
      precision: nothing(),
      recall: nothing(),
      f1: nothing(),
    }),
    update(state, { n, targets, predicted }) {
      for (const ratio of ratios) sums[ratio].load(state[ratio].sum)
      for (let i = 0, at = 0; i < n; i++) {
        let [hits, chosen, actual] = [0, 0, 0]
        for (let k = 0; k < labels; k++, at++) {
          const truth = targets[at]!
          const choice = predicted[at]!
          state.actual[k]! += truth
          state.predicted[k]! += choice
          state.hits[k]! += truth & choice
          actual += truth
          chosen += choice
          hits += truth & choice
        }
        if (hits === actual && hits === chosen) state.exact++
        count('precision', hits, chosen)
        count('recall', hits, actual)
        count('f1', 2 * hits, actual + chosen)
      }
      for (const ratio of ratios) state[ratio].sum = sums[ratio].take()
      state.samples += n
      return state

      function count(ratio: (typeof ratios)[number], numerator: number, denominator: number): void {
        if (denominator === 0) return
        state[ratio].defined++
        sums[ratio].add(numerator / denominator)
      }
    },
    merge: (a, b) => ({
      samples: a.samples + b.samples,
      exact: a.exact + b.exact,
      hits: addCounts(a.hits, b.hits),
      predicted: addCounts(a.predicted, b.predicted),
      actual: addCounts(a.actual, b.actual),
      precision: mergeRatios(a.precision, b.precision),
      recall: mergeRatios(a.recall, b.recall),
      f1: mergeRatios(a.f1, b.f1),
    }),
    compute: (state) => state,
  }
}

const mergeRatios = (a: SampleRatio, b: SampleRatio): SampleRatio => ({
  sum: mergeSums(a.sum, b.sum),
  defined: a.defined + b.defined,
})
