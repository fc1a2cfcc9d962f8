import { AppError, invariant } from '../error.ts'
import type { Accumulator } from './accumulator.ts'
import { ERROR_BINS } from './error-bins.ts'
import { MOST_SCORES } from './exact-scores.ts'
import { exactAdder, mergeSums, ZERO_SUM, type ExactSum } from './exact-sum.ts'
import { checkLengths, rowAt, type LogitsBatch } from './logits-batch.ts'
import { addToBlock, emptyBlocks, mergeBlocks } from './moment-blocks.ts'
import { hashRow } from './random.ts'
import { weightAt } from './score-batch.ts'
import { productRemainder } from './two-product.ts'

/** Exact weighted sums over the samples of one output. */
export type OutputSums = {
  /** Σ y and Σ y² of the targets; with e = y − f: Σ e, Σ e², Σ |e| and Σ |e| / max(|y|, ε). */
  target: ExactSum
  targetSquared: ExactSum
  error: ExactSum
  squaredError: ExactSum
  absoluteError: ExactSum
  percentage: ExactSum
  /** The largest |e|. */
  maxError: number
  /** |e| of every sample; null when there were too many, or samples have weights: then `sizes` tells. */
  errors: number[] | null
  /** Weights of the samples by the size of |e|: `ERROR_BINS`. */
  readonly sizes: Record<number, number>
  /** The same sums of blocks of samples, to draw them again: `moment-blocks`. They may differ in the last bits with the order. */
  readonly blocks: number[]
}

/** Sums of REGRESSION. */
export type RegressionSums = {
  samples: number
  weight: ExactSum
  /** Samples × outputs whose prediction is NaN or infinite, or whose square is out of float64's range. */
  overflowed: number
  /** One entry for each output; none before the first sample. */
  outputs: OutputSums[]
}

const NAMES = ['target', 'targetSquared', 'error', 'squaredError', 'absoluteError', 'percentage'] as const
type Name = (typeof NAMES)[number]

/** What |y| is at least in a percentage: scikit-learn's mean_absolute_percentage_error. */
const LEAST_TARGET = Number.EPSILON

/**
 * Sums targets and residuals of each output. Exact, so that mean squares lose no digit however far the targets are from
 * 0.
 */
export function regressionSums(): Omit<Accumulator<LogitsBatch, RegressionSums, RegressionSums>, 'replicate'> {
  const sums = Object.fromEntries(NAMES.map((name) => [name, exactAdder()])) as Record<
    Name,
    ReturnType<typeof exactAdder>
  >
  const total = exactAdder()
  return {
    empty: () => ({ samples: 0, weight: ZERO_SUM, overflowed: 0, outputs: [] }),
    update(state, batch) {
      const { n, width, logits, targets } = batch
      checkLengths(batch, width)
      if (n === 0) return state
      if (state.outputs.length === 0) state.outputs = Array.from({ length: width }, noSums)
      checkOutputs(state.outputs.length, width)
      total.load(state.weight)
      for (let i = 0; i < n; i++) total.add(weightAt(batch, i))
      state.weight = total.take()
      for (let k = 0; k < width; k++) {
        const output = state.outputs[k]!
        for (const name of NAMES) sums[name].load(output[name])
        for (let i = 0, at = k; i < n; i++, at += width) {
          const y = targets[at]!
          const error = y - logits[at]!
          if (!Number.isFinite(error * error) || !Number.isFinite(y * y)) {
            state.overflowed++
            continue
          }
          const w = weightAt(batch, i)
          const size = Math.abs(error)
          const share = size / Math.max(Math.abs(y), LEAST_TARGET)
          addProduct('target', w, y)
          addSquare('targetSquared', w, y)
          addProduct('error', w, error)
          addSquare('squaredError', w, error)
          addProduct('absoluteError', w, size)
          sums.percentage.add(Math.min(w * share, Number.MAX_VALUE))
          output.maxError = Math.max(output.maxError, size)
          const bin = ERROR_BINS.of(size)
          if (w !== 1 || (output.errors?.length ?? 0) >= MOST_SCORES) output.errors = null
          output.errors?.push(size)
          output.sizes[bin] = (output.sizes[bin] ?? 0) + w
          addToBlock(output.blocks, hashRow(rowAt(batch, i)), w, y, error, share)
        }
        for (const name of NAMES) output[name] = sums[name].take()
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
        weight: mergeSums(a.weight, b.weight),
        overflowed: a.overflowed + b.overflowed,
        outputs: a.outputs.map((output, k) => mergeOutputs(output, b.outputs[k]!)),
      }
    },
    compute: (state) => state,
  }

  function addProduct(name: Name, w: number, value: number): void {
    const rounded = w * value
    sums[name].add(rounded)
    if (w !== 1) sums[name].add(productRemainder(w, value, rounded))
  }

  /** With what rounding loses: without it the variance of targets such as 10^8 ± 1 would be noise. */
  function addSquare(name: Name, w: number, value: number): void {
    const squared = value * value
    addProduct(name, w, squared)
    sums[name].add(w * productRemainder(value, value, squared))
  }
}

const noSums = (): OutputSums => ({
  ...{ target: ZERO_SUM, targetSquared: ZERO_SUM, error: ZERO_SUM },
  ...{ squaredError: ZERO_SUM, absoluteError: ZERO_SUM, percentage: ZERO_SUM },
  ...{ maxError: 0, errors: [], sizes: {}, blocks: emptyBlocks() },
})

function mergeOutputs(a: OutputSums, b: OutputSums): OutputSums {
  const sizes = { ...a.sizes }
  for (const [bin, weight] of Object.entries(b.sizes)) sizes[Number(bin)] = (sizes[Number(bin)] ?? 0) + weight
  return {
    ...(Object.fromEntries(NAMES.map((name) => [name, mergeSums(a[name], b[name])])) as Record<Name, ExactSum>),
    maxError: Math.max(a.maxError, b.maxError),
    errors:
      a.errors === null || b.errors === null || a.errors.length + b.errors.length > MOST_SCORES
        ? null
        : [...a.errors, ...b.errors],
    sizes,
    blocks: mergeBlocks(a.blocks, b.blocks),
  }
}

function checkOutputs(before: number, now: number): void {
  if (before !== now)
    throw new AppError('DATASET_SHAPE_MISMATCH', `the model gave ${before} outputs a sample before, and now ${now}`)
}
