import { describe, expect, test } from '@jest/globals'
import { wilson, withIntervals } from '../../src/metric/intervals.ts'
import { normalQuantile } from '../../src/metric/normal.ts'
import { poisson, seededRandom } from '../../src/metric/random.ts'
import { taskAccumulator } from '../../src/metric/index.ts'
import { entry } from '../../src/metric/estimate.ts'

test.each([
  // statsmodels.stats.proportion.proportion_confint(…, method='wilson'), as tabulated by Newcombe (1998), table I.
  [81, 263, 0.2553, 0.3662],
  [15, 148, 0.0624, 0.1605],
  [0, 20, 0, 0.1611],
  [1, 29, 0.0061, 0.1718],
])('Wilson’s interval of %i in %i', (successes, trials, low, high) => {
  const interval = wilson(successes, trials, 0.95)!
  expect(interval.low).toBeCloseTo(low, 4)
  expect(interval.high).toBeCloseTo(high, 4)
})

test('quantiles of the normal distribution', () => {
  expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 8)
  expect(normalQuantile(0.5)).toBeCloseTo(0, 12)
  expect(normalQuantile(0.001)).toBeCloseTo(-3.090232306167813, 8)
})

test.each([0.3, 1, 8, 25, 400])('Poisson numbers of mean %p have that mean and variance', (mean) => {
  const random = seededRandom(7)
  const drawn = Array.from({ length: 40_000 }, () => poisson(mean, random))
  const average = drawn.reduce((sum, k) => sum + k, 0) / drawn.length
  const variance = drawn.reduce((sum, k) => sum + (k - average) ** 2, 0) / drawn.length
  // Five standard errors.
  expect(Math.abs(average - mean)).toBeLessThan(5 * Math.sqrt(mean / drawn.length))
  expect(Math.abs(variance - mean)).toBeLessThan(5 * Math.sqrt((2 * mean * mean + mean) / drawn.length))
})

test('a bootstrap that says nothing, or not the value, gives no interval', () => {
  const value = entry('x', null, null, 0.5, () => '')
  const drawn = (of: (u: number) => number) =>
    withIntervals([value], (random) => [{ ...value, value: of(random()) }])[0]!.interval
  expect(drawn(() => 0.5)).toBeNull()
  expect(drawn((u) => 0.6 + u)).toBeNull()
  expect(drawn((u) => u)).toMatchObject({ method: 'BOOTSTRAP' })
})

describe('the intervals of a run', () => {
  const accumulator = taskAccumulator('BINARY', { classes: ['0', '1'] })
  const random = seededRandom(3)
  const n = 400
  const targets = Int32Array.from({ length: n }, () => (random() < 0.4 ? 1 : 0))
  const logits = Float32Array.from(targets, (target) => (target === 1 ? 1 : -1) + 4 * (random() - 0.5))
  const state = accumulator.update(accumulator.empty(), { first: 0, n, width: 1, logits, targets })

  test('hold their values, and are the same every time', () => {
    const { metrics } = accumulator.report(state)
    expect(accumulator.report(state).metrics).toEqual(metrics)
    const known = metrics.filter(({ interval }) => interval !== null)
    expect(known.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['accuracy', 'f1', 'mcc', 'rocAuc', 'logLoss', 'brier']),
    )
    for (const { value, interval } of known) {
      expect(interval!.low).toBeLessThanOrEqual(value!)
      expect(interval!.high).toBeGreaterThanOrEqual(value!)
    }
  })
})
