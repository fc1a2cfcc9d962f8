import type { Accumulator, MetricValue, Task } from './accumulator.ts'
import { classCounts } from './class-counts.ts'
import { classRatios, positiveRatios } from './class-ratios.ts'
import { combine, prepared } from './combine.ts'
import type { Estimate } from './estimate.ts'
import { entry } from './estimate.ts'
import { withIntervals } from './intervals.ts'
import { labelCounts } from './label-counts.ts'
import { rowAt, type LogitsBatch, type Targets } from './logits-batch.ts'
import * as classes from './of-classes.ts'
import * as labels from './of-labels.ts'
import type { Random } from './random.ts'
import { regressionSums, type RegressionSums } from './regression.ts'
import { redrawnValues, regressionValues } from './regression-values.ts'
import { meanValue, sampleMean, type MeanState } from './sample-mean.ts'
import { scorer } from './score-batch.ts'
import type { FullTaskOptions, TaskOptions } from './task.ts'
import { withDefaults } from './task-accumulator.ts'

/** State of the samples of one slice: plain JSON. */
export type SliceState = { readonly samples: number; readonly state: unknown }

/** Code of a slice → its state, for one slicing key. */
export type SliceStates = Record<string, SliceState>

/** What is known of a slice when a run ends. */
export interface SliceReport {
  readonly samples: number
  /** Those that are counted or are means: no rankings. See `SLICE_METRICS`. */
  readonly metrics: readonly MetricValue[]
}

/** Metrics of a slice: for BINARY of the positive class, else macro averages where there are classes. The first orders slices. */
export const SLICE_METRICS: Readonly<Record<Task, readonly string[]>> = {
  BINARY: ['f1', 'accuracy', 'precision', 'recall', 'logLoss'],
  MULTICLASS: ['f1', 'accuracy', 'precision', 'recall', 'logLoss'],
  MULTILABEL: ['f1', 'accuracy', 'precision', 'recall', 'logLoss'],
  REGRESSION: ['mse', 'rmse', 'mae', 'r2'],
}

/** Metrics over parts of the samples. */
export interface SliceAccumulator {
  /** Counts a batch whose i-th sample belongs to the slice `codes[i]`, in place. */
  update(states: SliceStates, batch: LogitsBatch, codes: ArrayLike<number>): void
  merge(a: SliceStates, b: SliceStates): SliceStates
  report(state: SliceState): SliceReport
}

/**
 * The accumulator of slices. They are counted less closely than a whole run, because there may be a thousand of them.
 * @throws AppError BAD_INPUT for options that the task cannot have.
 */
export function sliceAccumulator(task: Task, given: TaskOptions): SliceAccumulator {
  const parts = partsOf(task, withDefaults(task, given))
  return {
    update(states, batch, codes) {
      for (const [code, rows] of grouped(batch.n, codes)) {
        const { samples, state } = states[code] ?? { samples: 0, state: parts.accumulator.empty() }
        states[code] = {
          samples: samples + rows.length,
          state: parts.accumulator.update(state, rows.length === batch.n ? batch : partOf(batch, rows)),
        }
      }
    },
    merge(a, b) {
      const merged = { ...a }
      for (const [code, other] of Object.entries(b)) {
        const own = merged[code]
        merged[code] =
          own === undefined
            ? other
            : { samples: own.samples + other.samples, state: parts.accumulator.merge(own.state, other.state) }
      }
      return merged
    },
    report({ samples, state }) {
      const chosen = (values: readonly Estimate[]) =>
        SLICE_METRICS[task].flatMap((name) => values.find((value) => value.name === name && isWhole(value)) ?? [])
      return {
        samples,
        metrics: withIntervals(chosen(parts.values(state)), (random) => chosen(parts.redrawn(state, random))),
      }
    },
  }
}

/** Of no class, and no average but the macro one. */
const isWhole = ({ average, class: of }: Estimate): boolean => of === null && (average === null || average === 'macro')

interface Parts {
  readonly accumulator: Omit<Accumulator<LogitsBatch, unknown, unknown>, 'replicate' | 'compute'>
  readonly values: (state: unknown) => Estimate[]
  readonly redrawn: (state: unknown, random: Random) => Estimate[]
}

function partsOf(task: Task, options: FullTaskOptions): Parts {
  const count = options.classes.length
  const scored = scorer(task === 'REGRESSION' ? 'BINARY' : task, count, options)
  switch (task) {
    case 'BINARY':
    case 'MULTICLASS': {
      const accumulator = prepared(scored, combine({ counts: classCounts(count), losses: sampleMean('losses') }))
      type State = ReturnType<typeof accumulator.empty>
      return redrawable(accumulator, ({ counts, losses }: State) => {
        const tally = classes.tallyOf(counts)
        const ratios =
          task === 'BINARY'
            ? positiveRatios(tally, 1, options.classes[1]!, options.beta)
            : classRatios(tally, options.classes, options.beta)
        return [classes.accuracy(counts), ...ratios, logLoss(losses)]
      })
    }
    case 'MULTILABEL': {
      const counted = { counts: labelCounts(count, options.beta), losses: sampleMean('losses') }
      const accumulator = prepared(scored, combine(counted))
      type State = ReturnType<typeof accumulator.empty>
      return redrawable(accumulator, ({ counts, losses }: State) => [
        labels.accuracy(counts),
        ...classRatios(labels.tallyOf(counts), options.classes, options.beta),
        logLoss(losses),
      ])
    }
    case 'REGRESSION':
      return {
        accumulator: regressionSums(),
        values: (state) => regressionValues(state as RegressionSums, options.classes),
        redrawn: (state, random) => redrawnValues(state as RegressionSums, options.classes, random),
      }
  }
}

const redrawable = <State>(
  accumulator: Accumulator<LogitsBatch, State, unknown>,
  values: (state: State) => Estimate[],
): Parts => ({
  accumulator: accumulator,
  values: (state) => values(state as State),
  redrawn: (state, random) => values(accumulator.replicate(state as State, random)),
})

function logLoss(losses: MeanState): Estimate {
  const { value, reason } = meanValue(losses)
  return entry('logLoss', null, null, value, () => reason ?? '')
}

/** Code → places in the batch, ascending. */
function grouped(n: number, codes: ArrayLike<number>): Map<number, number[]> {
  const groups = new Map<number, number[]>()
  for (let i = 0; i < n; i++) {
    const group = groups.get(codes[i]!)
    if (group === undefined) groups.set(codes[i]!, [i])
    else group.push(i)
  }
  return groups
}

function partOf(batch: LogitsBatch, places: readonly number[]): LogitsBatch {
  const { n, width, logits, targets, weights } = batch
  const perSample = targets.length / n
  const part = new Float32Array(places.length * width)
  const truth = new Float64Array(places.length * perSample)
  places.forEach((from, to) => {
    part.set(logits.subarray(from * width, (from + 1) * width), to * width)
    truth.set((targets as Float64Array).subarray(from * perSample, (from + 1) * perSample), to * perSample)
  })
  return {
    first: 0,
    rows: Float64Array.from(places, (i) => rowAt(batch, i)),
    n: places.length,
    width,
    logits: part,
    targets: truth satisfies Targets,
    weights: weights === undefined ? undefined : Float64Array.from(places, (i) => weights[i]!),
  }
}
