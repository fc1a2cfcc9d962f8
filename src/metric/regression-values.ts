import { dyadicOf, minus, quotient, times, type Dyadic } from './dyadic.ts'
import { ERROR_BINS } from './error-bins.ts'
import { entry, type Estimate } from './estimate.ts'
import type { ExactSum } from './exact-sum.ts'
import { quantile } from './intervals.ts'
import { redrawMoments } from './moment-blocks.ts'
import { poisson, type Random } from './random.ts'
import type { OutputSums, RegressionSums } from './regression.ts'

/** What is known of one output: values, and reasons where there are none. */
interface OutputValues {
  readonly mse: number
  readonly mae: number
  readonly mape: number
  readonly median: Median
  readonly maxError: number
  readonly r2: number | null
  readonly explainedVariance: number | null
}

/** A median, and how far it may be off; null when it is exact. */
interface Median {
  readonly value: number
  readonly error: number | null
}

/**
 * mse, rmse, mae, mape, medianAbsoluteError, maxError, r2 and explainedVariance: the plain average over outputs (sklearn's
 * `multioutput='uniform_average'`; the largest maxError), then those of each output where there are several, under the names in `outputs`
 * or their numbers. r2 and explainedVariance are undefined where targets do not vary, as with sklearn's `force_finite=False`; its default
 * would say 1 or 0.
 */
export function regressionValues(state: RegressionSums, outputs: readonly string[]): Estimate[] {
  const problem = undefinedBecause(state)
  const values = problem !== null ? [] : state.outputs.map((sums) => valuesOf(state, sums))
  return estimates(state, values, problem, outputs)
}

/** The values of a bootstrap replicate. */
export function redrawnValues(state: RegressionSums, outputs: readonly string[], random: Random): Estimate[] {
  const values = state.outputs.map(({ blocks, sizes, maxError }): OutputValues => {
    const moments = redrawMoments(blocks, random)
    const { targetVariance } = moments
    const share = (variance: number) => (targetVariance > 0 ? 1 - variance / targetVariance : null)
    const redrawn = Object.fromEntries(
      Object.entries(sizes).map(([bin, weight]) => [Number(bin), poisson(weight, random)]),
    )
    return {
      mse: moments.squaredError,
      mae: moments.absoluteError,
      mape: moments.percentage,
      median: binnedMedian(redrawn) ?? { value: NaN, error: 0 },
      maxError,
      r2: share(moments.squaredError),
      explainedVariance: share(moments.errorVariance),
    }
  })
  return estimates(state, values, undefinedBecause(state), outputs)
}

function estimates(
  state: RegressionSums,
  values: readonly OutputValues[],
  problem: string | null,
  outputs: readonly string[],
): Estimate[] {
  const nameOf = (k: number): string => outputs[k] ?? String(k)
  return METRICS.flatMap(({ name, of, error, overall = average }) => {
    if (problem !== null) return [entry(name, null, null, null, () => problem)]
    const each = values.map(of)
    const bad = each.findIndex((value) => value === null)
    const why = (k: number) => () =>
      state.samples < 2 ? `${name} needs at least two samples` : `the targets of output “${nameOf(k)}” are all the same`
    const errors = error === undefined ? null : values.map(error)
    const whole = entry(name, null, null, bad < 0 ? overall(each as number[]) : null, why(bad), {
      binningError: errors?.some((value) => value !== null) ? overall(errors.map((value) => value ?? 0)) : null,
    })
    if (values.length === 1) return [whole]
    return [
      whole,
      ...each.map((value, k) => entry(name, null, nameOf(k), value, why(k), { binningError: errors?.[k] ?? null })),
    ]
  })
}

const average = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

interface RegressionMetric {
  readonly name: string
  readonly of: (values: OutputValues) => number | null
  readonly error?: (values: OutputValues) => number | null
  readonly overall?: (values: readonly number[]) => number
}

const METRICS: readonly RegressionMetric[] = [
  { name: 'mse', of: ({ mse }) => mse },
  { name: 'rmse', of: ({ mse }) => Math.sqrt(mse) },
  { name: 'mae', of: ({ mae }) => mae },
  { name: 'mape', of: ({ mape }) => mape },
  { name: 'medianAbsoluteError', of: ({ median }) => median.value, error: ({ median }) => median.error },
  { name: 'maxError', of: ({ maxError }) => maxError, overall: (values) => Math.max(...values) },
  { name: 'r2', of: ({ r2 }) => r2 },
  { name: 'explainedVariance', of: ({ explainedVariance }) => explainedVariance },
]

function valuesOf({ samples, weight }: RegressionSums, sums: OutputSums): OutputValues {
  const total = dyadicOf(weight)
  const mean = (sum: ExactSum): number => quotient(dyadicOf(sum), total)
  // W·Σwx² − (Σwx)², in integers, rounded once at the end. Below 0 only by underflow: squares of targets under 10^-154 have no digits left.
  const variation = (squares: ExactSum, sum: ExactSum): Dyadic =>
    minus(times(total, dyadicOf(squares)), times(dyadicOf(sum), dyadicOf(sum)))
  const targets = variation(sums.targetSquared, sums.target)
  const share = (rest: Dyadic): number | null =>
    samples < 2 || targets.mantissa <= 0n ? null : quotient(minus(targets, rest), targets)
  return {
    mse: mean(sums.squaredError),
    mae: mean(sums.absoluteError),
    mape: mean(sums.percentage),
    median: exactMedian(sums.errors) ?? binnedMedian(sums.sizes) ?? { value: NaN, error: 0 },
    maxError: sums.maxError,
    r2: share(times(total, dyadicOf(sums.squaredError))),
    explainedVariance: share(variation(sums.squaredError, sums.error)),
  }
}

function exactMedian(errors: readonly number[] | null): Median | null {
  if (errors === null || errors.length === 0) return null
  const sorted = Float64Array.from(errors).sort()
  return { value: quantile(sorted, 0.5), error: null }
}

/** The middle of the two bins that the median lies between. */
function binnedMedian(sizes: Readonly<Record<number, number>>): Median | null {
  const bins = Object.entries(sizes)
  const half = bins.reduce((sum, [, weight]) => sum + weight, 0) / 2
  let below = 0
  for (const [at, [bin, weight]] of bins.entries()) {
    below += weight
    if (weight === 0 || below < half) continue
    const low = ERROR_BINS.middle(Number(bin))
    const next = below > half ? undefined : bins.slice(at + 1).find(([, more]) => more > 0)
    const high = next === undefined ? low : ERROR_BINS.middle(Number(next[0]))
    return { value: (low.value + high.value) / 2, error: (low.error + high.error) / 2 }
  }
  return null
}

function undefinedBecause({ samples, weight, overflowed }: RegressionSums): string | null {
  if (samples === 0) return 'there are no samples'
  if (overflowed > 0) return `${overflowed} predictions are NaN, infinite, or too far from their targets to be squared`
  return weight.limbs.length === 0 ? 'all weights are 0' : null
}
