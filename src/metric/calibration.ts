import type { Accumulator } from './accumulator.ts'
import { addCounts } from './class-counts.ts'
import { exactMean } from './dyadic.ts'
import { exactAdder, exactSumOf, mergeSums, ZERO_SUM, type ExactSum } from './exact-sum.ts'
import { redraw, weightScale } from './random.ts'
import { IGNORED } from './score-batch.ts'
import type { ScoredBatch } from './scored-batch.ts'

/** How sure the model was, and how often it was right. */
export type CalibrationState = {
  samples: number
  undefined: number
  weight: number
  squares: number
  /** Of each bin of confidence: weight of its answers, of the right ones, and Σ of weights × confidences. */
  readonly total: number[]
  readonly right: number[]
  readonly confidence: ExactSum[]
}

/** A bin of the reliability diagram. */
export interface ReliabilityBin {
  readonly low: number
  readonly high: number
  /** Weight of its answers: their number without weights. */
  readonly weight: number
  /** Mean confidence and share of right answers; null where there are none. */
  readonly confidence: number | null
  readonly accuracy: number | null
}

/**
 * Counts confidences in bins of equal width; a bin holds its lower edge, the last one 1 too. MULTICLASS: the probability of the predicted
 * class, and whether it was right; BINARY and MULTILABEL: the probability of the positive class, and whether the label is positive. As
 * torchmetrics' calibration_error, but that there a confidence of exactly 1 has a bin of its own.
 */
export function calibration(bins: number): Accumulator<ScoredBatch, CalibrationState, CalibrationState> {
  const zeros = (): number[] => new Array<number>(bins).fill(0)
  const adders = Array.from({ length: bins }, exactAdder)
  const empty = (): CalibrationState => ({
    ...{ samples: 0, undefined: 0, weight: 0, squares: 0, total: zeros(), right: zeros() },
    confidence: new Array<ExactSum>(bins).fill(ZERO_SUM),
  })
  return {
    empty,
    update(state, { n, columns, targets, predicted, probabilities, weights, losses }) {
      adders.forEach((adder, bin) => adder.load(state.confidence[bin]!))
      const perSample = targets.length / n
      for (let i = 0; i < n; i++) {
        if (Number.isNaN(losses[i])) {
          state.undefined++
          continue
        }
        const weight = weights[i]!
        state.weight += weight
        state.squares += weight * weight
        if (perSample === 1 && columns > 1) {
          const choice = predicted[i]!
          add(probabilities[i * columns + choice]!, choice === targets[i], weight)
        } else
          for (let at = i * columns; at < (i + 1) * columns; at++)
            if (targets[at] !== IGNORED) add(probabilities[at]!, targets[at] === 1, weight)
      }
      adders.forEach((adder, bin) => (state.confidence[bin] = adder.take()))
      state.samples += n
      return state

      function add(confidence: number, right: boolean, weight: number): void {
        const bin = Math.min(bins - 1, Math.floor(confidence * bins))
        state.total[bin]! += weight
        if (right) state.right[bin]! += weight
        adders[bin]!.add(weight * confidence)
      }
    },
    merge: (a, b) => ({
      samples: a.samples + b.samples,
      undefined: a.undefined + b.undefined,
      weight: a.weight + b.weight,
      squares: a.squares + b.squares,
      total: addCounts(a.total, b.total),
      right: addCounts(a.right, b.right),
      confidence: a.confidence.map((sum, bin) => mergeSums(sum, b.confidence[bin]!)),
    }),
    compute: (state) => state,
    replicate(state, random) {
      const scale = weightScale(state.weight, state.squares)
      const drawn = empty()
      drawn.samples = state.samples
      drawn.undefined = state.undefined
      drawn.weight = state.weight
      state.total.forEach((total, bin) => {
        drawn.right[bin] = redraw(state.right[bin]!, scale, random)
        drawn.total[bin] = drawn.right[bin] + redraw(total - state.right[bin]!, scale, random)
        // What the answers of a bin are sure of differs little.
        const mean = total === 0 ? 0 : exactMean(state.confidence[bin]!, 1) / total
        drawn.confidence[bin] = exactSumOf(mean * drawn.total[bin])
      })
      return drawn
    },
  }
}

/** The reliability diagram. */
export const reliability = ({ total, right, confidence }: CalibrationState): ReliabilityBin[] =>
  total.map((weight, bin) => ({
    low: bin / total.length,
    high: (bin + 1) / total.length,
    weight,
    confidence: weight === 0 ? null : exactMean(confidence[bin]!, 1) / weight,
    accuracy: weight === 0 ? null : right[bin]! / weight,
  }))

/** Expected calibration error: how far confidence and accuracy are apart, averaged over the answers. Null where there are none. */
export function calibrationError(state: CalibrationState): number | null {
  const all = state.total.reduce((sum, weight) => sum + weight, 0)
  if (all === 0) return null
  return reliability(state).reduce(
    (sum, { weight, confidence, accuracy }) =>
      sum + (weight === 0 ? 0 : (weight / all) * Math.abs(confidence! - accuracy!)),
    0,
  )
}
