import type { Accumulator } from './accumulator.ts'
import { exactMean } from './dyadic.ts'
import { exactAdder, mergeSums, ZERO_SUM, type ExactSum } from './exact-sum.ts'
import type { ScoredBatch } from './scored-batch.ts'

/** The log losses so far. */
export type LossState = {
  samples: number
  sum: ExactSum
  /** Samples whose logits gave no probability. */
  undefined: number
}

/** Log loss: a value, or why there is none. */
export type LossValue =
  { readonly value: number; readonly reason: null } | { readonly value: null; readonly reason: string }

/** Mean log loss of the samples. */
export function meanLoss(): Accumulator<ScoredBatch, LossState, LossValue> {
  const adder = exactAdder()
  return {
    empty: () => ({ samples: 0, sum: ZERO_SUM, undefined: 0 }),
    update(state, { n, losses }) {
      adder.load(state.sum)
      for (let i = 0; i < n; i++) {
        const loss = losses[i]!
        if (Number.isNaN(loss)) state.undefined++
        else adder.add(loss)
      }
      state.sum = adder.take()
      state.samples += n
      return state
    },
    merge: (a, b) => ({
      samples: a.samples + b.samples,
      sum: mergeSums(a.sum, b.sum),
      undefined: a.undefined + b.undefined,
    }),
    compute: lossValue,
  }
}

/** The mean, or why there is none. */
export function lossValue({ samples, sum, undefined: missing }: LossState): LossValue {
  if (samples === 0) return { value: null, reason: 'there are no samples' }
  if (missing > 0) return { value: null, reason: `the logits of ${missing} of ${samples} samples are NaN or infinite` }
  return { value: exactMean(sum, samples), reason: null }
}
