/** How well scores put the samples of one class before the others. */
export interface Ranking {
  /** Weights of the samples that have the class, and of those that have it not. */
  readonly positives: number
  readonly negatives: number
  /** Area under the ROC curve and average precision; null where one of the two is 0, or there are no positives. */
  readonly auc: number | null
  readonly averagePrecision: number | null
  /** How far the exact values may be, where scores were taken for equal because they share a bin; null where they were equal. */
  readonly errors: { readonly auc: number; readonly averagePrecision: number } | null
  /** The largest F1 of any threshold, and the highest threshold that has it. */
  readonly bestF1: { readonly value: number; readonly threshold: number } | null
  /** The smallest cost of a sample, and its threshold: null when calling nothing positive costs least. */
  readonly bestCost: { readonly value: number; readonly threshold: number | null } | null
}

/** Takes groups of equal scores, the highest first. */
export interface RankingBuilder {
  add(score: number, negatives: number, positives: number): void
  finish(): Ranking
}

/**
 * @param positives, negatives weights of all samples, which the groups add up to.
 * @param costRatio what a missed positive costs, where a false alarm costs 1.
 * @param binned whether scores of a group are only known to be near each other.
 */
export function rankingBuilder(
  positives: number,
  negatives: number,
  costRatio: number,
  binned: boolean,
): RankingBuilder {
  let [tp, fp, area, precisions, tied, spread] = [0, 0, 0, 0, 0, 0]
  let bestF1 = { value: -1, threshold: NaN }
  let bestCost: { value: number; threshold: number | null } = { value: positives * costRatio, threshold: null }
  return {
    add(score, negative, positive) {
      area += negative * (tp + positive / 2)
      const before = tp
      tp += positive
      fp += negative
      if (positive > 0) precisions += (positive * tp) / (tp + fp)
      if (binned && positive > 0 && negative > 0) {
        tied += (positive * negative) / 2
        // With all positives of the group first, with all negatives first.
        const [best, worst] = [tp / (tp + fp - negative), before / (before + fp)]
        spread += positive * Math.max(best - tp / (tp + fp), tp / (tp + fp) - worst)
      }
      const f1 = (2 * tp) / (positives + tp + fp)
      if (f1 > bestF1.value) bestF1 = { value: f1, threshold: score }
      const cost = (positives - tp) * costRatio + fp
      if (cost < bestCost.value) bestCost = { value: cost, threshold: score }
    },
    finish() {
      const total = positives + negatives
      return {
        positives,
        negatives,
        auc: positives > 0 && negatives > 0 ? area / (positives * negatives) : null,
        averagePrecision: positives > 0 ? precisions / positives : null,
        errors: binned
          ? {
              auc: positives > 0 && negatives > 0 ? tied / (positives * negatives) : 0,
              averagePrecision: positives > 0 ? spread / positives : 0,
            }
          : null,
        bestF1: positives > 0 ? bestF1 : null,
        bestCost: total > 0 ? { ...bestCost, value: bestCost.value / total } : null,
      }
    },
  }
}
