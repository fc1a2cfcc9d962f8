import type { Accumulator } from './accumulator.ts'
import { calibrationError, reliability, type CalibrationState } from './calibration.ts'
import { entry, type Estimate } from './estimate.ts'
import { exactScores, type ExactScores } from './exact-scores.ts'
import { meanValue, sampleMean, type MeanState } from './sample-mean.ts'
import { scoreBinsOf } from './score-curves.ts'
import { scoreHistogram, type ScoreCounts } from './score-histogram.ts'
import type { ScoredBatch } from './scored-batch.ts'
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
export const scoreParts = (
  columns: number,
  calibration: Accumulator<ScoredBatch, CalibrationState, CalibrationState>,
) => ({
  losses: sampleMean('losses'),
  briers: sampleMean('briers'),
  scores: scoreHistogram(columns),
  exact: exactScores(columns),
  calibration,
})

/** logLoss, brier and ece. */
export function scoreValues({ losses, briers, calibration }: ScoreState): Estimate[] {
  const mean = (name: string, state: MeanState): Estimate => {
    const { value, reason } = meanValue(state)
    return entry(name, null, null, value, () => reason ?? '')
  }
  const missing = calibration.undefined
  return [
    mean('logLoss', losses),
    mean('brier', briers),
    entry('ece', null, null, missing > 0 ? null : calibrationError(calibration), () =>
      missing > 0
        ? `the logits of ${missing} of ${calibration.samples} samples are NaN or infinite`
        : 'there are no samples',
    ),
  ]
}

/** What a report shows of them. */
export const scoreReport = (
  { scores, calibration }: ScoreState,
  columns: readonly string[],
): Pick<TaskReport, 'scores' | 'reliability'> => ({
  scores: scoreBinsOf(scores, columns),
  reliability: reliability(calibration),
})
