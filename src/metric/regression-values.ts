import type { MetricValue } from './accumulator.ts'
import { entry } from './class-ratios.ts'
import { dyadicOf, exactMean, minus, quotient, times, wholeNumber } from './dyadic.ts'
import type { OutputSums, RegressionSums } from './regression.ts'

type Value = readonly [value: number | null, reason: string]

/**
 * mse, rmse, mae and r2: the plain average over outputs (sklearn's `multioutput='uniform_average'`), then those of each
 * output where there are several, under the names in `outputs` or their numbers. r2 is undefined where targets do not
 * vary, as with sklearn's `force_finite=False`; its default would say 1 or 0.
 */
export function regressionValues(state: RegressionSums, outputs: readonly string[]): MetricValue[] {
  const count = state.outputs.length
  const problem = undefinedBecause(state)
  return METRICS.flatMap(({ name, of }) => {
    if (problem !== null) return [entry(name, null, null, null, problem)]
    const values = state.outputs.map((sums, k) => of(sums, state.samples, outputs[k] ?? String(k)))
    const bad = values.find(([value]) => value === null)
    const average = bad === undefined ? values.reduce((sum, [value]) => sum + value!, 0) / count : null
    const overall = entry(name, null, null, average, bad?.[1] ?? '')
    if (count === 1) return [overall]
    return [overall, ...values.map(([value, reason], k) => entry(name, null, outputs[k] ?? String(k), value, reason))]
  })
}

const METRICS: readonly { name: string; of: (sums: OutputSums, samples: number, output: string) => Value }[] = [
  { name: 'mse', of: (sums, samples) => [exactMean(sums.squaredError, samples), ''] },
  {
    name: 'rmse',
    of: (sums, samples) => [Math.sqrt(exactMean(sums.squaredError, samples)), ''],
  },
  { name: 'mae', of: (sums, samples) => [exactMean(sums.absoluteError, samples), ''] },
  { name: 'r2', of: r2 },
]

/** 1 − Σ(y−f)² / Σ(y−ȳ)², with Σ(y−ȳ)² = (n·Σy² − (Σy)²) / n in integers, rounded once at the end. */
function r2(sums: OutputSums, samples: number, output: string): Value {
  if (samples < 2) return [null, 'R² needs at least two samples']
  const n = wholeNumber(samples)
  const sum = dyadicOf(sums.target)
  const variation = minus(times(n, dyadicOf(sums.targetSquared)), times(sum, sum))
  // Below 0 only by underflow: squares of targets under 10^-154 have no digits left.
  if (variation.mantissa <= 0n) return [null, `the targets of output “${output}” are all the same`]
  return [quotient(minus(variation, times(n, dyadicOf(sums.squaredError))), variation), '']
}

function undefinedBecause({ samples, overflowed }: RegressionSums): string | null {
  if (samples === 0) return 'there are no samples'
  if (overflowed > 0) return `${overflowed} predictions are NaN, infinite, or too far from their targets to be squared`
  return null
}
