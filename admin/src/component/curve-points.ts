import type { RunCurvesQuery } from '../generated/graphql.ts'

/** How well the scores of a class tell its samples from the others. */
export type Curve = NonNullable<RunCurvesQuery['run']>['scoreCurves'][number]

/** What becomes of the samples at a threshold. */
export type CurvePoint = Curve['points'][number]

/** A share, or null where it is of nothing. */
export const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole)

/** False and true positive rates, from the highest threshold to the lowest. */
export const rocPoints = ({ points }: Curve): (readonly [number, number])[] => [
  [0, 0],
  ...points.map(
    ({ truePositives, falsePositives, falseNegatives, trueNegatives }) =>
      [
        ratio(falsePositives, falsePositives + trueNegatives) ?? 0,
        ratio(truePositives, truePositives + falseNegatives) ?? 0,
      ] as const,
  ),
]

/** Recall and precision, from the highest threshold to the lowest. */
export const precisionRecallPoints = ({ points }: Curve): (readonly [number, number])[] =>
  points.map(
    ({ truePositives, falsePositives, falseNegatives }) =>
      [
        ratio(truePositives, truePositives + falseNegatives) ?? 0,
        ratio(truePositives, truePositives + falsePositives) ?? 1,
      ] as const,
  )

/**
 * What those samples are called whose score is `threshold` or more: the last point that is not below it. Points begin with the highest
 * threshold; above it nothing is called positive.
 */
export function pointAt({ points }: Curve, threshold: number): CurvePoint {
  let [low, high] = [0, points.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (points[middle]!.threshold >= threshold) low = middle + 1
    else high = middle
  }
  const found = points[low - 1]
  if (found !== undefined) return found
  const all = points.at(-1)!
  return {
    threshold,
    truePositives: 0,
    falsePositives: 0,
    falseNegatives: all.truePositives + all.falseNegatives,
    trueNegatives: all.falsePositives + all.trueNegatives,
  }
}

/** What there is to say of a threshold. */
export function judged(
  { truePositives, falsePositives, falseNegatives, trueNegatives }: CurvePoint,
  costRatio: number,
) {
  const all = truePositives + falsePositives + falseNegatives + trueNegatives
  return {
    precision: ratio(truePositives, truePositives + falsePositives),
    recall: ratio(truePositives, truePositives + falseNegatives),
    f1: ratio(2 * truePositives, 2 * truePositives + falsePositives + falseNegatives),
    specificity: ratio(trueNegatives, trueNegatives + falsePositives),
    accuracy: ratio(truePositives + trueNegatives, all),
    cost: ratio(costRatio * falseNegatives + falsePositives, all),
  }
}

/** How many samples that have a class, and that have it not, have their scores in each of some ranges between 0 and 1. */
export interface ScoreHistogram {
  readonly positives: readonly number[]
  readonly negatives: readonly number[]
}

/** Counts of scores in equal ranges, each with its lower end; the last has 1 too. Where points were thinned, a score counts at the point below it. */
export function scoreHistogram(curve: Curve, ranges: number): ScoreHistogram {
  const from = Array.from({ length: ranges }, (_, i) => pointAt(curve, i / ranges))
  const within = (called: (point: CurvePoint) => number): number[] =>
    from.map((point, i) => called(point) - (i + 1 < ranges ? called(from[i + 1]!) : 0))
  return {
    positives: within(({ truePositives }) => truePositives),
    negatives: within(({ falsePositives }) => falsePositives),
  }
}
