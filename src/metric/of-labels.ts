import { classRatios, macroRatios, type Tally } from './class-ratios.ts'
import { combine, prepared } from './combine.ts'
import { labelConfusion } from './confusion.ts'
import { dyadicOf, quotient } from './dyadic.ts'
import { entry, type Estimate } from './estimate.ts'
import { labelCounts, SAMPLE_RATIOS, type LabelCounts, type SampleRatioName } from './label-counts.ts'
import { rankingValues } from './ranking-values.ts'
import { reporting } from './reporting.ts'
import { meanValue } from './sample-mean.ts'
import { scorer } from './score-batch.ts'
import { rankings, scoreParts, scoreReport, scoreValues, type ScoreState } from './score-parts.ts'
import type { FullTaskOptions, TaskAccumulator } from './task.ts'

/** State of MULTILABEL. */
export type LabelState = ScoreState & { counts: LabelCounts }

/** The accumulator of samples that have any number of labels. */
export function ofLabels(options: FullTaskOptions): TaskAccumulator<LabelState> {
  const { classes, beta, costRatio } = options
  const columns = classes.length
  const parts = combine({
    ...scoreParts(columns, options.calibrationBins),
    counts: labelCounts(columns, beta),
  })
  const names = { classes, whole: false, thresholds: true }
  const values = (state: LabelState): Estimate[] => {
    const { counts, scores } = state
    return [
      accuracy(counts),
      hammingLoss(counts),
      ...classRatios(tallyOf(counts), classes, beta),
      ...SAMPLE_RATIOS.map((name) => samplesAverage(name, counts)),
      ...rankingValues(rankings(state, columns, costRatio), scores.undefined, names),
      ...scoreValues(state),
    ]
  }
  return {
    ...prepared(scorer('MULTILABEL', columns, options), parts),
    ...reporting(
      values,
      (state: LabelState, random) => values(parts.replicate(state, random)),
      (state) => ({
        samples: state.counts.samples,
        confusionMatrix: labelConfusion(state.counts, classes),
        ...scoreReport(state, names.classes),
      }),
    ),
    running: ({ counts, losses }) => ({
      samples: counts.samples,
      loss: meanValue(losses).value,
      accuracy: accuracy(counts).value,
      ...macroRatios(counts),
    }),
  }
}

export const tallyOf = ({ asked, hits, predicted, actual, whole }: LabelCounts): Tally => ({
  ...{ asked, hits, predicted, actual, whole },
  oneClassEach: false,
})

/** All labels of a sample have to be right: subset accuracy, as sklearn's accuracy_score. */
export const accuracy = ({ exact, weight, whole }: LabelCounts): Estimate =>
  entry('accuracy', null, null, weight === 0 ? null : exact / weight, () => 'there are no samples', {
    proportion: whole ? { successes: exact, trials: weight } : undefined,
  })

/** Share of the labels that are wrong, of all labels of all samples. */
function hammingLoss({ asked, hits, predicted, actual }: LabelCounts): Estimate {
  const wrong = hits.reduce((sum, hit, k) => sum + predicted[k]! + actual[k]! - 2 * hit, 0)
  const all = asked.reduce((sum, weight) => sum + weight, 0)
  return entry('hammingLoss', null, null, all === 0 ? null : wrong / all, () => 'there are no samples')
}

const MISSING: Readonly<Record<SampleRatioName, string>> = {
  precision: 'no sample was predicted to have a label',
  recall: 'no sample has a label',
  f1: 'no sample has a label or was predicted to have one',
  fBeta: 'no sample has a label or was predicted to have one',
  jaccard: 'no sample has a label or was predicted to have one',
}

function samplesAverage(name: SampleRatioName, { ratios }: LabelCounts): Estimate {
  const { sum, weight } = ratios[name]
  const value = weight.limbs.length === 0 ? null : quotient(dyadicOf(sum), dyadicOf(weight))
  return entry(name, 'samples', null, value, () => MISSING[name])
}
