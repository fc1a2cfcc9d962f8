import type { Interval, MetricValue } from './accumulator.ts'
import type { Estimate } from './estimate.ts'
import { normalQuantile } from './normal.ts'
import { seededRandom, type Random } from './random.ts'

/** How intervals are made. */
export interface IntervalOptions {
  /** Confidence; 0.95 by default. */
  readonly level?: number | undefined
  /** Bootstrap replicates; by default 1,000, and fewer where there are very many values. */
  readonly replicates?: number | undefined
  /** The same seed gives the same intervals. */
  readonly seed?: number | undefined
}

/** Values of all replicates together, by default. */
const VALUES = 500_000
const MOST = 1000
const LEAST = 100
/** Values up to which they are drawn again at all, those of some 2,000 classes: more would take minutes. Shares have their intervals. */
const MOST_VALUES = 20_000

/**
 * Gives each value its interval: Wilson's for a share of samples, else the percentiles of a Poisson bootstrap.
 * A bootstrap that says the same every time, as of a classifier that makes no mistake, says nothing about the next data set: no interval.
 * @param replicate the values of one replicate, in the order of `estimates`.
 */
export function withIntervals(
  estimates: readonly Estimate[],
  replicate: (random: Random) => readonly MetricValue[],
  options: IntervalOptions = {},
): MetricValue[] {
  const { level = 0.95, seed = 0 } = options
  const count = options.replicates ?? defaultReplicates(estimates.length)
  const asked = estimates.flatMap((estimate, i) => (needsBootstrap(estimate) ? [i] : []))
  const random = seededRandom(seed)
  const drawn = asked.map(() => new Float64Array(count).fill(NaN))
  if (asked.length > 0)
    for (let r = 0; r < count; r++) {
      const values = replicate(random)
      asked.forEach((i, at) => (drawn[at]![r] = values[i]!.value ?? NaN))
    }
  const intervals = new Map(
    asked.map((i, at) => {
      const found = percentiles(drawn[at]!, level)
      const value = estimates[i]!.value!
      // A bootstrap that is so biased (average precision of few positives can be) tells nothing.
      return [i, found === null || value < found.low || value > found.high ? null : found]
    }),
  )
  return estimates.map(({ proportion, ...value }, i) => ({
    ...value,
    interval:
      value.value === null
        ? null
        : proportion === undefined
          ? (intervals.get(i) ?? null)
          : wilson(proportion.successes, proportion.trials, level, proportion.of),
  }))
}

function defaultReplicates(values: number): number {
  if (values > MOST_VALUES) return 0
  return Math.min(MOST, Math.max(LEAST, Math.floor(VALUES / Math.max(1, values))))
}

const needsBootstrap = ({ value, proportion }: Estimate): boolean => value !== null && proportion === undefined

/** Wilson's score interval of a binomial share (1927). `of` is a rising function of the share that the value is. */
export function wilson(
  successes: number,
  trials: number,
  level: number,
  of: (share: number) => number = (share) => share,
): Interval | null {
  if (trials === 0) return null
  const z = normalQuantile((1 + level) / 2)
  const share = successes / trials
  const spread = z * Math.sqrt((share * (1 - share)) / trials + (z * z) / (4 * trials * trials))
  const [middle, scale] = [share + (z * z) / (2 * trials), 1 + (z * z) / trials]
  return {
    low: of(successes === 0 ? 0 : Math.max(0, (middle - spread) / scale)),
    high: of(successes === trials ? 1 : Math.min(1, (middle + spread) / scale)),
    method: 'WILSON',
  }
}

/** The middle `level` of what was drawn; null where it is all the same, and where half of it is undefined. */
export function percentiles(drawn: Float64Array, level: number): Interval | null {
  const defined = drawn.filter((value) => !Number.isNaN(value)).sort()
  if (defined.length < 2 || defined.length < drawn.length / 2) return null
  const [low, high] = [quantile(defined, (1 - level) / 2), quantile(defined, (1 + level) / 2)]
  return low === high ? null : { low, high, method: 'BOOTSTRAP' }
}

/** Linear between the order statistics, as numpy.quantile. */
export function quantile(sorted: Float64Array, q: number): number {
  const at = q * (sorted.length - 1)
  const below = Math.floor(at)
  const [a, b] = [sorted[below]!, sorted[Math.min(below + 1, sorted.length - 1)]!]
  return a === b ? a : a + (at - below) * (b - a)
}
