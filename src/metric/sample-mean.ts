import type { Accumulator } from './accumulator.ts'
import { addCounts } from './class-counts.ts'
import { dyadicOf, quotient } from './dyadic.ts'
import { exactAdder, exactSumOf, mergeSums, ZERO_SUM, type ExactSum } from './exact-sum.ts'
import { inSteps, poisson } from './random.ts'
import type { ScoredBatch } from './scored-batch.ts'

/** A mean so far. */
export type MeanState = {
  samples: number
  /** Σ of weights × values. */
  sum: ExactSum
  weight: ExactSum
  /** Samples whose logits gave no probability. */
  undefined: number
  /** Of each block of samples its weight and its sum, `inSteps`. */
  readonly blocks: number[]
}

/** A mean: a value, or why there is none. */
export type MeanValue =
  { readonly value: number; readonly reason: null } | { readonly value: null; readonly reason: string }

/** Samples are drawn again in so many blocks, to which their row's hash assigns them. */
const BLOCKS = 512

/** Weighted mean of a number that each sample has. */
export function sampleMean(of: 'losses' | 'briers'): Accumulator<ScoredBatch, MeanState, MeanValue> {
  const sum = exactAdder()
  const weight = exactAdder()
  return {
    empty: () => ({
      ...{ samples: 0, sum: ZERO_SUM, weight: ZERO_SUM, undefined: 0 },
      blocks: new Array<number>(2 * BLOCKS).fill(0),
    }),
    update(state, batch) {
      const { n, weights, hashes } = batch
      const values = batch[of]
      sum.load(state.sum)
      weight.load(state.weight)
      let ones = 0
      for (let i = 0; i < n; i++) {
        const value = values[i]!
        if (Number.isNaN(value)) {
          state.undefined++
          continue
        }
        const w = weights[i]!
        sum.add(w * value)
        // Most samples count once; their number is exact as well.
        if (w === 1) ones++
        else weight.add(w)
        const at = 2 * (hashes[i]! % BLOCKS)
        state.blocks[at]! += inSteps(w)
        state.blocks[at + 1]! += inSteps(w * value)
      }
      weight.add(ones)
      state.sum = sum.take()
      state.weight = weight.take()
      state.samples += n
      return state
    },
    merge: (a, b) => ({
      samples: a.samples + b.samples,
      sum: mergeSums(a.sum, b.sum),
      weight: mergeSums(a.weight, b.weight),
      undefined: a.undefined + b.undefined,
      blocks: addCounts(a.blocks, b.blocks),
    }),
    compute: meanValue,
    replicate(state, random) {
      let [w, s] = [0, 0]
      for (let at = 0; at < state.blocks.length; at += 2) {
        if (state.blocks[at] === 0) continue
        const times = poisson(1, random)
        w += times * state.blocks[at]!
        s += times * state.blocks[at + 1]!
      }
      return { samples: w, sum: exactSumOf(s), weight: exactSumOf(w), undefined: 0, blocks: [] }
    },
  }
}

/** The mean, or why there is none. */
export function meanValue({ samples, sum, weight, undefined: missing }: MeanState): MeanValue {
  if (samples === 0) return { value: null, reason: 'there are no samples' }
  if (missing > 0) return { value: null, reason: `the logits of ${missing} of ${samples} samples are NaN or infinite` }
  const total = dyadicOf(weight)
  if (total.mantissa === 0n) return { value: null, reason: 'all weights are 0' }
  return { value: quotient(dyadicOf(sum), total), reason: null }
}
