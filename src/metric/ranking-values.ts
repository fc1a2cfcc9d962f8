import { averageOver } from './class-ratios.ts'
import { entry, type Estimate } from './estimate.ts'
import type { Ranking } from './ranking.ts'

/** What rankings are called. */
export interface RankingNames {
  /** Of each column. */
  readonly classes: readonly string[]
  /** BINARY: one column, whose values are the whole's. */
  readonly whole: boolean
  /** Whether each column is asked by itself, so that it can have a threshold: all tasks but MULTICLASS. */
  readonly thresholds: boolean
}

const NAMES = ['rocAuc', 'averagePrecision'] as const

/**
 * ROC AUC and average precision of each class against the others, their macro and weighted averages over the classes that have one, and the best
 * thresholds. As scikit-learn's roc_auc_score and average_precision_score, but that a class without positives has no average precision
 * instead of 0.
 */
export function rankingValues(rankings: readonly Ranking[], missing: number, names: RankingNames): Estimate[] {
  return [
    ...NAMES.flatMap((name) => areas(name, rankings, missing, names)),
    ...(names.thresholds ? rankings.flatMap((ranking, k) => best(ranking, k, missing, names)) : []),
  ]
}

function areas(
  name: (typeof NAMES)[number],
  rankings: readonly Ranking[],
  missing: number,
  { classes, whole }: RankingNames,
): Estimate[] {
  const values = rankings.map((ranking) =>
    missing > 0 ? null : name === 'rocAuc' ? ranking.auc : ranking.averagePrecision,
  )
  const errors = rankings.map(({ errors }) =>
    errors === null ? null : name === 'rocAuc' ? errors.auc : errors.averagePrecision,
  )
  const perClass = values.map((value, k) =>
    entry(name, null, whole ? null : classes[k]!, value, () => reason(rankings[k]!, missing, classes[k]!), {
      binningError: errors[k] ?? null,
    }),
  )
  if (whole) return perClass
  const support = rankings.map(({ positives }) => positives)
  const over = (weights?: readonly number[]): number | null => {
    const known = values.map((value, k) => (value === null ? null : errors[k]!))
    return errors[0] == null ? null : averageOver(known, weights)
  }
  const undefinedBecause = () => (missing > 0 ? notFinite(missing) : 'it is undefined for every class')
  return [
    ...perClass,
    entry(name, 'macro', null, averageOver(values), undefinedBecause, { binningError: over() }),
    entry(name, 'weighted', null, averageOver(values, support), undefinedBecause, { binningError: over(support) }),
  ]
}

function best(ranking: Ranking, k: number, missing: number, { classes, whole }: RankingNames): Estimate[] {
  const name = whole ? null : classes[k]!
  const { bestF1, bestCost } = ranking
  const none = () => reason(ranking, missing, classes[k]!)
  const value = (label: string, found: number | null | undefined, why: () => string = none) =>
    entry(label, null, name, missing > 0 ? null : (found ?? null), why)
  return [
    value('bestF1', bestF1?.value),
    value('bestF1Threshold', bestF1?.threshold),
    value('bestCost', bestCost?.value),
    value('bestCostThreshold', bestCost?.threshold, () =>
      bestCost === null || missing > 0 ? none() : 'calling nothing positive costs least',
    ),
  ]
}

function reason({ positives, negatives }: Ranking, missing: number, name: string): string {
  if (missing > 0) return notFinite(missing)
  if (positives === 0 && negatives === 0) return 'there are no samples'
  return positives === 0 ? `no sample is labelled “${name}”` : `every sample is labelled “${name}”`
}

const notFinite = (missing: number): string => `the logits of ${missing} samples are NaN or infinite`
