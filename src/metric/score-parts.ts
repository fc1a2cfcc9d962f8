import { calibration, calibrationError, reliability, type CalibrationState } from './calibration.ts'
import { entry, type Estimate } from './estimate.ts'
import { exactRankings, exactScores, type ExactScores } from './exact-scores.ts'
import type { Ranking } from './ranking.ts'
import { meanValue, sampleMean, type MeanState } from './sample-mean.ts'
import { scoreBinsOf } from './score-curves.ts'
import { binnedRankings, scoreHistogram, type ScoreCounts } from './score-histogram.ts'
import type { TaskReport } from './task.ts'

/** What every classification keeps of its probabilities. */
export type ScoreState = {
  losses: MeanState
  briers: MeanState
  scores: ScoreCounts
  exact: ExactScores
  calibration: CalibrationState
}

/** The accumulators of probabilities. */
export const scoreParts = (columns: number, calibrationBins: number) => ({
  losses: sampleMean('losses'),
  briers: sampleMean('briers'),
  scores: scoreHistogram(columns),
  exact: exactScores(columns),
  calibration: calibration(calibrationBins),
})

/** The rankings of the columns: exact while every score is kept, else what the bins say. */
export const rankings = ({ exact, scores }: ScoreState, columns: number, costRatio: number): Ranking[] =>
  exactRankings(exact, columns, costRatio) ?? binnedRankings(scores, columns, costRatio)

/** logLoss, brier and ece. */
export function scoreValues({ losses, briers, calibration: confidences }: ScoreState): Estimate[] {
  const mean = (name: string, state: MeanState): Estimate => {
    const { value, reason } = meanValue(state)
    return entry(name, null, null, value, () => reason ?? '')
  }
  const missing = confidences.undefined
  return [
    mean('logLoss', losses),
    mean('brier', briers),
    entry('ece', null, null, missing > 0 ? null : calibrationError(confidences), () =>
      missing > 0
        ? `the logits of ${missing} of ${confidences.samples} samples are NaN or infinite`
        : 'there are no samples',
    ),
  ]
}

/** What a report shows of them. */
export const scoreReport = (
  { scores, calibration: confidences }: ScoreState,
  columns: readonly string[],
): Pick<TaskReport, 'scores' | 'reliability'> => ({
  scores: scoreBinsOf(scores, columns),
  reliability: reliability(confidences),
})
