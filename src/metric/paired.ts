import type { Average, Interval, MetricValue, Task } from './accumulator.ts'
import { classCounts, count } from './class-counts.ts'
import { percentiles } from './intervals.ts'
import type { Targets } from './logits-batch.ts'
import { countedValues } from './of-classes.ts'
import { poisson, seededRandom, type Random } from './random.ts'
import { DEFAULT_METRIC_OPTIONS, type TaskOptions } from './task.ts'
import { taskAccumulator } from './task-accumulator.ts'

/** What two runs said about the same samples. */
export interface PairedSamples {
  readonly n: number
  readonly targets: Targets
  /** Null where each sample counts 1. */
  readonly weights: Float64Array | null
  /** Of each run: n × width logits. */
  readonly logits: readonly [Float32Array, Float32Array]
}

/** How often samples of a true class were called so by one run and so by the other. */
export interface JointCell {
  readonly truth: number
  readonly choices: readonly [number, number]
  readonly count: number
}

/** What differences are drawn from. */
export interface PairRequest {
  readonly kind: 'pair'
  readonly task: Task
  /** Of each run. */
  readonly options: readonly [TaskOptions, TaskOptions]
  /** Null where there are too many: then `cells` tell of what is counted. */
  readonly samples: PairedSamples | null
  readonly cells: readonly JointCell[]
}

/** The interval of a metric's difference. */
export interface DifferenceInterval {
  readonly name: string
  readonly average: Average | null
  readonly class: string | null
  /** Null where every replicate has the same difference, or the metric is undefined in half of them. */
  readonly interval: Interval | null
}

/** Samples × replicates × runs that are counted at most: some seconds. */
export const PAIRED_SAMPLES = 3_000_000
const MOST = 1000
/** Fewer tell nothing of the ends of an interval. */
export const LEAST_REPLICATES = 200
const LEVEL = 0.95

/**
 * A paired bootstrap: each replicate counts every sample Poisson(1) times, the same for both runs, and what is kept is the difference of the
 * metrics. Of all metrics where there are samples, else of those that classes are counted for.
 */
export function pairedIntervals({ task, options, samples, cells }: PairRequest): DifferenceInterval[] {
  const random = seededRandom(0)
  if (samples === null) {
    const draw = drawCells(options, task === 'BINARY', cells)
    return intervalsOf(() => draw(random), MOST)
  }
  const replicates = Math.floor(PAIRED_SAMPLES / Math.max(1, 2 * samples.n))
  const draw = drawSamples(task, options, samples)
  return intervalsOf(() => draw(random), Math.min(MOST, Math.max(LEAST_REPLICATES, replicates)))
}

type Pair = readonly [readonly MetricValue[], readonly MetricValue[]]

function drawSamples(task: Task, options: PairRequest['options'], samples: PairedSamples): (random: Random) => Pair {
  const { n, targets, weights, logits } = samples
  const accumulators = [taskAccumulator(task, options[0]), taskAccumulator(task, options[1])] as const
  return (random) => {
    const drawn = Float64Array.from({ length: n }, (_, i) => (weights?.[i] ?? 1) * poisson(1, random))
    const valuesOf = (run: 0 | 1): readonly MetricValue[] => {
      const accumulator = accumulators[run]
      const own = logits[run]
      const batch = { first: 0, n, width: own.length / n, logits: own, targets, weights: drawn }
      return accumulator.compute(accumulator.update(accumulator.empty(), batch)).metrics
    }
    return [valuesOf(0), valuesOf(1)]
  }
}

function drawCells(
  options: PairRequest['options'],
  binary: boolean,
  cells: readonly JointCell[],
): (random: Random) => Pair {
  const counter = classCounts(options[0].classes.length)
  return (random) => {
    const counts = [counter.empty(), counter.empty()] as const
    for (const { truth, choices, count: samples } of cells) {
      const times = poisson(samples, random)
      if (times > 0) choices.forEach((choice, run) => count(counts[run]!, truth, choice, times))
    }
    const valuesOf = (run: 0 | 1) =>
      countedValues(counts[run], binary, options[run].classes, options[run].beta ?? DEFAULT_METRIC_OPTIONS.beta)
    return [valuesOf(0), valuesOf(1)]
  }
}

function intervalsOf(draw: () => Pair, replicates: number): DifferenceInterval[] {
  const columns: Float64Array[] = []
  let named: readonly MetricValue[] = []
  for (let r = 0; r < replicates; r++) {
    const [base, other] = draw()
    named = base
    base.forEach(({ value }, i) => {
      const column = (columns[i] ??= new Float64Array(replicates).fill(NaN))
      column[r] = value === null ? NaN : (other[i]?.value ?? NaN) - value
    })
  }
  return named.map(({ name, average, class: of }, i) => ({
    ...{ name, average, class: of },
    interval: percentiles(columns[i]!, LEVEL),
  }))
}
