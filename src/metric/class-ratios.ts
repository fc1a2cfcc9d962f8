import type { Average } from './accumulator.ts'
import { entry, type Estimate, type Proportion } from './estimate.ts'

/** What is known of each class, in weights of samples. */
export interface Tally {
  /** Samples that were asked about: all, but for labels that were ignored. */
  readonly asked: readonly number[]
  /** Samples that have it and were predicted so, that were predicted so, that have it. */
  readonly hits: readonly number[]
  readonly predicted: readonly number[]
  readonly actual: readonly number[]
  /** Whether each class's counts are numbers of samples. */
  readonly whole: boolean
  /** Whether a sample counts once over all classes, so that the micro averages are shares of samples. */
  readonly oneClassEach: boolean
}

/** The ratios that are made of a tally. */
export type RatioName = 'precision' | 'recall' | 'f1' | 'fBeta' | 'specificity' | 'jaccard'

interface Ratio {
  readonly name: RatioName
  readonly of: (
    hits: number,
    predicted: number,
    actual: number,
    asked: number,
  ) => readonly [numerator: number, denominator: number]
  /** Why there is no value where the denominator is 0. */
  readonly missing: (what: string) => string
  /** The share of samples that the value is a function of, if it is one. */
  readonly share?: ((hits: number, predicted: number, actual: number, asked: number) => Proportion) | undefined
}

const either = (what: string): string => `no sample is labelled ${what} or was predicted so`

const PRECISION: Ratio = {
  name: 'precision',
  of: (hits, predicted) => [hits, predicted],
  missing: (what) => `no sample was predicted as ${what}`,
  share: (hits, predicted) => ({ successes: hits, trials: predicted }),
}
const RECALL: Ratio = {
  name: 'recall',
  of: (hits, _predicted, actual) => [hits, actual],
  missing: (what) => `no sample is labelled ${what}`,
  share: (hits, _predicted, actual) => ({ successes: hits, trials: actual }),
}
const F1: Ratio = {
  name: 'f1',
  of: (hits, predicted, actual) => [2 * hits, predicted + actual],
  missing: either,
  // A rising function of the Jaccard index, which is a share of the samples that are the class or were taken for it.
  share: (hits, predicted, actual) => ({
    ...{ successes: hits, trials: predicted + actual - hits },
    of: (share) => (2 * share) / (1 + share),
  }),
}
/** The recall of everything else. */
const SPECIFICITY: Ratio = {
  name: 'specificity',
  of: (hits, predicted, actual, asked) => [asked - predicted - actual + hits, asked - actual],
  missing: (what) => `every sample is labelled ${what}`,
  share: (hits, predicted, actual, asked) => ({
    ...{ successes: asked - predicted - actual + hits, trials: asked - actual },
  }),
}
const JACCARD: Ratio = {
  name: 'jaccard',
  of: (hits, predicted, actual) => [hits, predicted + actual - hits],
  missing: either,
  share: (hits, predicted, actual) => ({ successes: hits, trials: predicted + actual - hits }),
}
/** (1 + β²)·hits / (β²·actual + predicted): recall counts β times as much as precision. */
const fBeta = (beta: number): Ratio => ({
  name: 'fBeta',
  of: (hits, predicted, actual) => [(1 + beta * beta) * hits, beta * beta * actual + predicted],
  missing: either,
})

const ratios = (beta: number): readonly Ratio[] => [PRECISION, RECALL, F1, fBeta(beta), SPECIFICITY, JACCARD]

/**
 * Precision, recall, F1, F-beta, specificity and Jaccard index of each class, micro, macro and weighted, as scikit-learn 1.9 computes them for
 * `labels=range(classes), zero_division=np.nan`: a class without a value is left out of the averages, with its weight;
 * where the weights that remain are all 0, the weighted average is the plain one.
 */
export function classRatios(tally: Tally, classes: readonly string[], beta: number): Estimate[] {
  return ratios(beta).flatMap((ratio) => {
    const perClass = ratioPerClass(ratio, tally)
    return [
      ...perClass.map((_, k) => ofClass(ratio, tally, k, classes[k]!, classes[k]!)),
      micro(ratio, tally),
      entry(ratio.name, 'macro', null, averageOver(perClass), () => 'it is undefined for every class'),
      entry(ratio.name, 'weighted', null, averageOver(perClass, tally.actual), () => 'it is undefined for every class'),
    ]
  })
}

/** Those of one class as the whole's: scikit-learn's `average='binary'`. */
export const positiveRatios = (tally: Tally, positive: number, name: string, beta: number): Estimate[] =>
  ratios(beta).map((ratio) => ofClass(ratio, tally, positive, null, name))

/** Values of each class and their macro average, for a look while the counts still grow. */
export function macroRatios(tally: Counts): Look {
  return look((ratio) => averageOver(ratioPerClass(ratio, tally)))
}

/** Those of one class, for a look. */
export function oneClassRatios(tally: Counts, k: number): Look {
  return look((ratio) => ratioPerClass(ratio, tally)[k]!)
}

type Counts = Pick<Tally, 'hits' | 'predicted' | 'actual' | 'asked'>

/** What is looked at while the counts still grow. */
type Look = Readonly<Record<'precision' | 'recall' | 'f1', number | null>>

const look = (value: (ratio: Ratio) => number | null): Look => ({
  precision: value(PRECISION),
  recall: value(RECALL),
  f1: value(F1),
})

function ofClass(ratio: Ratio, tally: Tally, k: number, className: string | null, name: string): Estimate {
  const counts = [tally.hits[k]!, tally.predicted[k]!, tally.actual[k]!, tally.asked[k]!] as const
  return entry(ratio.name, null, className, divide(...ratio.of(...counts)), reason(ratio, tally, `“${name}”`), {
    proportion: tally.whole ? ratio.share?.(...counts) : undefined,
  })
}

const reason =
  (ratio: Ratio, { asked }: Tally, what: string): (() => string) =>
  () =>
    total(asked) === 0 ? 'there are no samples' : ratio.missing(what)

function ratioPerClass(ratio: Ratio, { hits, predicted, actual, asked }: Counts): (number | null)[] {
  return hits.map((hit, k) => divide(...ratio.of(hit, predicted[k]!, actual[k]!, asked[k]!)))
}

function micro(ratio: Ratio, tally: Tally): Estimate {
  // As if each sample were asked about each class.
  const counts = [total(tally.hits), total(tally.predicted), total(tally.actual), total(tally.asked)] as const
  const value = divide(...ratio.of(...counts))
  // Where a sample has one class, all of these are accuracy or a function of it; but for specificity, whose negatives are counted often.
  const isShare = tally.whole && tally.oneClassEach && ratio.name !== 'specificity'
  return entry(ratio.name, 'micro' satisfies Average, null, value, reason(ratio, tally, 'any class'), {
    proportion: isShare ? accuracyShare(ratio, counts[0], counts[2]) : undefined,
  })
}

/** Micro averages from the share of right samples: for the Jaccard index a / (2 − a). */
const accuracyShare = ({ name }: Ratio, successes: number, trials: number): Proportion => ({
  successes,
  trials,
  of: name === 'jaccard' ? (share) => share / (2 - share) : undefined,
})

/** The average over classes that have a value, as `classRatios` says. */
export function averageOver(values: readonly (number | null)[], weights?: readonly number[]): number | null {
  let [sum, weight, plain, defined] = [0, 0, 0, 0]
  values.forEach((value, k) => {
    if (value === null) return
    sum += value * (weights?.[k] ?? 1)
    weight += weights?.[k] ?? 1
    plain += value
    defined++
  })
  if (defined === 0) return null
  return weight === 0 ? plain / defined : sum / weight
}

const divide = (numerator: number, denominator: number): number | null =>
  denominator === 0 ? null : numerator / denominator

const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0)
