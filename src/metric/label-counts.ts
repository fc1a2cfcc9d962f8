import type { Accumulator } from './accumulator.ts'
import { addCounts } from './class-counts.ts'
import { exactAdder, exactSumOf, mergeSums, ZERO_SUM, type ExactAdder, type ExactSum } from './exact-sum.ts'
import { inSteps, poisson } from './random.ts'
import { IGNORED } from './score-batch.ts'
import type { ScoredBatch } from './scored-batch.ts'

/** A weighted sum over the samples for which a ratio is defined, and their weight. */
export type SampleRatio = { sum: ExactSum; weight: ExactSum }

/** Ratios of each sample's set of labels. */
export const SAMPLE_RATIOS = ['precision', 'recall', 'f1', 'fBeta', 'jaccard'] as const
export type SampleRatioName = (typeof SAMPLE_RATIOS)[number]

/** Counts of MULTILABEL predictions, in weights of samples. */
export type LabelCounts = {
  samples: number
  weight: number
  /** Samples whose labels are all right. */
  exact: number
  /** Of each label: samples that were asked about it, and as in `ClassCounts`. */
  readonly asked: number[]
  readonly hits: number[]
  readonly predicted: number[]
  readonly actual: number[]
  readonly ratios: Record<SampleRatioName, SampleRatio>
  /** Whether every weight was 1. */
  whole: boolean
  /** The same of each block of samples, one after the other: a bootstrap has to draw samples, not labels. See `blockLayout`. */
  readonly blocks: number[]
}

/** Counts predictions of any number of labels a sample. */
export function labelCounts(labels: number, beta: number): Accumulator<ScoredBatch, LabelCounts, LabelCounts> {
  const zeros = (): number[] => new Array<number>(labels).fill(0)
  const sums = Object.fromEntries(
    SAMPLE_RATIOS.map((name) => [name, { sum: exactAdder(), weight: exactAdder() }]),
  ) as Record<SampleRatioName, { sum: ExactAdder; weight: ExactAdder }>
  const { count: blocks, stride } = blockLayout(labels)
  const empty = (): LabelCounts => ({
    ...{ samples: 0, weight: 0, exact: 0, asked: zeros(), hits: zeros(), predicted: zeros(), actual: zeros() },
    ratios: ratiosOf(() => ({ sum: ZERO_SUM, weight: ZERO_SUM })),
    whole: true,
    blocks: new Array<number>(blocks * stride).fill(0),
  })
  return {
    empty,
    update(state, { n, targets, predicted, weights, hashes }) {
      for (const name of SAMPLE_RATIOS) {
        sums[name].sum.load(state.ratios[name].sum)
        sums[name].weight.load(state.ratios[name].weight)
      }
      for (let i = 0, at = 0; i < n; i++) {
        const weight = weights[i]!
        const block = (hashes[i]! % blocks) * stride
        const own = state.blocks
        if (weight !== 1) state.whole = false
        let [hits, chosen, actual] = [0, 0, 0]
        for (let k = 0; k < labels; k++, at++) {
          const truth = targets[at]!
          if (truth === IGNORED) continue
          const choice = predicted[at]!
          const hit = truth & choice
          state.asked[k]! += weight
          state.actual[k]! += truth * weight
          state.predicted[k]! += choice * weight
          state.hits[k]! += hit * weight
          own[block + HEAD + 4 * k]! += weight
          own[block + HEAD + 4 * k + 1]! += hit * weight
          own[block + HEAD + 4 * k + 2]! += choice * weight
          own[block + HEAD + 4 * k + 3]! += truth * weight
          actual += truth
          chosen += choice
          hits += hit
        }
        own[block]! += weight
        if (hits === actual && hits === chosen) {
          state.exact += weight
          own[block + 1]! += weight
        }
        count(0, hits, chosen, weight, block)
        count(1, hits, actual, weight, block)
        count(2, 2 * hits, actual + chosen, weight, block)
        count(3, (1 + beta * beta) * hits, beta * beta * actual + chosen, weight, block)
        count(4, hits, actual + chosen - hits, weight, block)
        state.weight += weight
      }
      for (const name of SAMPLE_RATIOS)
        state.ratios[name] = { sum: sums[name].sum.take(), weight: sums[name].weight.take() }
      state.samples += n
      return state

      /** Counts the ratio of a sample, the `i`-th of `SAMPLE_RATIOS`, for the whole and for its block. */
      function count(i: number, numerator: number, denominator: number, weight: number, block: number): void {
        if (denominator === 0) return
        const name = SAMPLE_RATIOS[i]!
        const value = (weight * numerator) / denominator
        sums[name].weight.add(weight)
        sums[name].sum.add(value)
        state.blocks[block + 2 + 2 * i]! += inSteps(weight)
        state.blocks[block + 3 + 2 * i]! += inSteps(value)
      }
    },
    merge: (a, b) => ({
      samples: a.samples + b.samples,
      weight: a.weight + b.weight,
      exact: a.exact + b.exact,
      asked: addCounts(a.asked, b.asked),
      hits: addCounts(a.hits, b.hits),
      predicted: addCounts(a.predicted, b.predicted),
      actual: addCounts(a.actual, b.actual),
      ratios: ratiosOf((name) => ({
        sum: mergeSums(a.ratios[name].sum, b.ratios[name].sum),
        weight: mergeSums(a.ratios[name].weight, b.ratios[name].weight),
      })),
      whole: a.whole && b.whole,
      blocks: addCounts(a.blocks, b.blocks),
    }),
    compute: (state) => state,
    replicate(state, random) {
      const drawn = empty()
      const total = new Float64Array(stride)
      for (let block = 0; block < state.blocks.length; block += stride) {
        const times = state.blocks[block] === 0 ? 0 : poisson(1, random)
        if (times > 0) for (let i = 0; i < stride; i++) total[i]! += times * state.blocks[block + i]!
      }
      drawn.samples = drawn.weight = total[0]!
      drawn.exact = total[1]!
      SAMPLE_RATIOS.forEach((name, i) => {
        drawn.ratios[name] = { weight: exactSumOf(total[2 + 2 * i]!), sum: exactSumOf(total[3 + 2 * i]!) }
      })
      for (let k = 0; k < labels; k++) {
        drawn.asked[k] = total[HEAD + 4 * k]!
        drawn.hits[k] = total[HEAD + 4 * k + 1]!
        drawn.predicted[k] = total[HEAD + 4 * k + 2]!
        drawn.actual[k] = total[HEAD + 4 * k + 3]!
      }
      return drawn
    },
  }
}

/** Numbers of a block before those of its labels: weight, exact, and two for each ratio of samples, `inSteps`. */
const HEAD = 2 + 2 * SAMPLE_RATIOS.length

/** Blocks, as many as fit 2^16 numbers, but at least 64; four numbers of each label follow the head: asked, hits, predicted, actual. */
function blockLayout(labels: number): { readonly count: number; readonly stride: number } {
  const stride = HEAD + 4 * labels
  return { count: Math.max(64, Math.min(512, Math.floor(2 ** 16 / stride))), stride }
}

const ratiosOf = (of: (name: SampleRatioName) => SampleRatio): LabelCounts['ratios'] =>
  Object.fromEntries(SAMPLE_RATIOS.map((name) => [name, of(name)])) as LabelCounts['ratios']
