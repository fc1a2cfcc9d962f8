import { scoreBins } from './score-bins.ts'
import type { ScoreCounts } from './score-histogram.ts'

/** How many samples with the class, and without it, got a score of a bin: from `score` on. In weights. */
export type ScoreBin = readonly [score: number, positives: number, negatives: number]

/** The scores of a class; for BINARY of the positive one. */
export interface ClassScores {
  readonly class: string
  /** Ascending, without empty bins. */
  readonly bins: readonly ScoreBin[]
}

/** What becomes of the samples when those are called positive whose score is `threshold` or more. */
export interface CurvePoint {
  readonly threshold: number
  readonly truePositives: number
  readonly falsePositives: number
  readonly falseNegatives: number
  readonly trueNegatives: number
}

/** The histogram of each column, under its name. */
export function scoreBinsOf({ positives, negatives }: ScoreCounts, columns: readonly string[]): ClassScores[] {
  const { count, edges } = scoreBins(columns.length)
  return columns.map((name, column) => {
    const bins: ScoreBin[] = []
    for (let bin = 0, at = column * count; bin < count; bin++, at++)
      if (positives[at]! > 0 || negatives[at]! > 0) bins.push([edges[bin]!, positives[at]!, negatives[at]!])
    return { class: name, bins }
  })
}

/** The points that a ROC curve, a precision-recall curve and a sweep over thresholds are drawn from, the highest threshold first. */
export function curvePoints(bins: readonly ScoreBin[]): CurvePoint[] {
  const [positives, negatives] = bins.reduce(([p, n], [, positive, negative]) => [p + positive, n + negative], [0, 0])
  let [tp, fp] = [0, 0]
  return [...bins].reverse().map(([threshold, positive, negative]) => {
    tp += positive
    fp += negative
    return {
      threshold,
      truePositives: tp,
      falsePositives: fp,
      falseNegatives: positives - tp,
      trueNegatives: negatives - fp,
    }
  })
}
