import { agreement } from './agreement.ts'
import { classCounts, type ClassCounts } from './class-counts.ts'
import { classRatios, macroRatios, oneClassRatios, positiveRatios, type Tally } from './class-ratios.ts'
import { combine, prepared } from './combine.ts'
import { classConfusion } from './confusion.ts'
import { entry, type Estimate } from './estimate.ts'
import { rankingValues } from './ranking-values.ts'
import { reporting } from './reporting.ts'
import { meanValue } from './sample-mean.ts'
import { scorer } from './score-batch.ts'
import { rankings, scoreParts, scoreReport, scoreValues, type ScoreState } from './score-parts.ts'
import type { FullTaskOptions, RunningView, TaskAccumulator } from './task.ts'
import { topAccuracies, topCounts, type TopCounts } from './top-k.ts'

/** State of BINARY and MULTICLASS. */
export type ClassState = ScoreState & { counts: ClassCounts; top: TopCounts }

/** The accumulator of samples that have one class each. */
export function ofClasses(task: 'BINARY' | 'MULTICLASS', options: FullTaskOptions): TaskAccumulator<ClassState> {
  const { classes, topK, beta, costRatio } = options
  const binary = task === 'BINARY'
  const columns = binary ? 1 : classes.length
  const parts = combine({
    ...scoreParts(columns, options.calibrationBins),
    counts: classCounts(classes.length),
    top: topCounts(binary ? [] : topK),
  })
  const names = { classes: binary ? [classes[1]!] : classes, whole: binary, thresholds: binary }
  const values = (state: ClassState): Estimate[] => {
    const { counts, top, scores } = state
    return [
      ...countedValues(counts, binary, classes, beta),
      ...(binary ? [] : topAccuracies(top, topK)),
      ...rankingValues(rankings(state, columns, costRatio), scores.undefined, names),
      ...scoreValues(state),
    ]
  }
  return {
    ...prepared(scorer(task, classes.length, options), parts),
    ...reporting(
      values,
      (state: ClassState, random) => values(parts.replicate(state, random)),
      (state) => ({
        samples: state.counts.samples,
        confusionMatrix: classConfusion(state.counts, classes),
        ...scoreReport(state, names.classes),
      }),
    ),
    running({ counts, losses }): RunningView {
      const tally = tallyOf(counts)
      return {
        samples: counts.samples,
        loss: meanValue(losses).value,
        accuracy: accuracy(counts).value,
        ...(binary ? oneClassRatios(tally, 1) : macroRatios(tally)),
      }
    },
  }
}

/** What counts of true and predicted classes tell. */
export function countedValues(
  counts: ClassCounts,
  binary: boolean,
  classes: readonly string[],
  beta: number,
): Estimate[] {
  const tally = tallyOf(counts)
  return [
    accuracy(counts),
    ...agreement(counts),
    ...(binary ? positiveRatios(tally, 1, classes[1]!, beta) : []),
    ...classRatios(tally, classes, beta),
  ]
}

export const tallyOf = ({ weight, hits, predicted, actual, squares }: ClassCounts): Tally => ({
  asked: hits.map(() => weight),
  ...{ hits, predicted, actual, whole: squares === null, oneClassEach: true },
})

export function accuracy({ weight, hits, squares }: ClassCounts): Estimate {
  const right = hits.reduce((sum, hit) => sum + hit, 0)
  return entry('accuracy', null, null, weight === 0 ? null : right / weight, () => 'there are no samples', {
    proportion: squares === null ? { successes: right, trials: weight } : undefined,
  })
}
