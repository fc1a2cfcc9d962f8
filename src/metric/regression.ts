import { AppError, invariant } from '../error.ts'
import type { Accumulator } from './accumulator.ts'
import { exactAdder, mergeSums, ZERO_SUM, type ExactSum } from './exact-sum.ts'
import { checkLengths, type LogitsBatch } from './logits-batch.ts'

/** Exact sums over the samples of one output. */
export type OutputSums = {
  /** Σ y and Σ y² of the targets, Σ (y − f)² and Σ |y − f| of the residuals. */
  target: ExactSum
  targetSquared: ExactSum
  squaredError: ExactSum
  absoluteError: ExactSum
}

/** Sums of REGRESSION. */
export type RegressionSums = {
  samples: number
  /** Samples × outputs whose prediction is NaN or infinite, or whose square is out of float64's range. */
  overflowed: number
  /** One entry for each output; none before the first sample. */
  outputs: OutputSums[]
}

/**
 * Sums targets and residuals of each output. Exact, so that mean squares lose no digit however far the targets are from
 * 0.
 */
export function regressionSums(): Accumulator<LogitsBatch, RegressionSums, RegressionSums> {
  const sums = {
    target: exactAdder(),
    targetSquared: exactAdder(),
    squaredError: exactAdder(),
    absoluteError: exactAdder(),
  }
  const names = ['target', 'targetSquared', 'squaredError', 'absoluteError'] as const
  return {
    empty: () => ({ samples: 0, overflowed: 0, outputs: [] }),
    update(state, batch) {
      const { n, width, logits, targets } = batch
      checkLengths(batch, width)
      if (n === 0) return state
      if (state.outputs.length === 0) state.outputs = Array.from({ length: width }, noSums)
      checkOutputs(state.outputs.length, width)
      for (let k = 0; k < width; k++) {
        const output = state.outputs[k]!
        for (const name of names) sums[name].load(output[name])
        for (let i = 0, at = k; i < n; i++, at += width) {
          const y = targets[at]!
          const error = y - logits[at]!
          const squared = y * y
          if (!Number.isFinite(error * error) || !Number.isFinite(squared)) {
            state.overflowed++
            continue
          }
          sums.target.add(y)
          sums.targetSquared.add(squared)
          sums.targetSquared.add(squareRemainder(y, squared))
          sums.squaredError.add(error * error)
          sums.absoluteError.add(Math.abs(error))
        }
        for (const name of names) output[name] = sums[name].take()
      }
      state.samples += n
      return state
    },
    merge(a, b) {
      // The result is updated in place later: it may share no part with either side.
      if (a.outputs.length === 0 || b.outputs.length === 0) return structuredClone(a.outputs.length === 0 ? b : a)
      invariant(a.outputs.length === b.outputs.length, 'regressions of different widths cannot be merged')
      return {
        samples: a.samples + b.samples,
        overflowed: a.overflowed + b.overflowed,
        outputs: a.outputs.map((output, k) => mergeOutputs(output, b.outputs[k]!)),
      }
    },
    compute: (state) => state,
  }
}

/**
 * y² − squared, exactly, where squared is y·y rounded (Dekker's product, 1971): without it the variance of targets such
 * as 10^8 ± 1 would be noise.
 */
function squareRemainder(y: number, squared: number): number {
  const scaled = 134217729 * y
  const high = scaled - (scaled - y)
  const low = y - high
  return high * high - squared + 2 * high * low + low * low
}

const noSums = (): OutputSums => ({
  target: ZERO_SUM,
  targetSquared: ZERO_SUM,
  squaredError: ZERO_SUM,
  absoluteError: ZERO_SUM,
})

const mergeOutputs = (a: OutputSums, b: OutputSums): OutputSums => ({
  target: mergeSums(a.target, b.target),
  targetSquared: mergeSums(a.targetSquared, b.targetSquared),
  squaredError: mergeSums(a.squaredError, b.squaredError),
  absoluteError: mergeSums(a.absoluteError, b.absoluteError),
})

function checkOutputs(before: number, now: number): void {
  if (before !== now)
    throw new AppError('DATASET_SHAPE_MISMATCH', `the model gave ${before} outputs a sample before, and now ${now}`)
}
