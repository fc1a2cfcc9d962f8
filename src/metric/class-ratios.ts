import type { Average, MetricValue } from './accumulator.ts'

/** Of each class: samples that have it and were predicted so, that were predicted so, that have it. */
export interface Tally {
  readonly samples: number
  readonly hits: readonly number[]
  readonly predicted: readonly number[]
  readonly actual: readonly number[]
}

/** The ratios that are made of a tally. */
export type RatioName = 'precision' | 'recall' | 'f1' | 'specificity' | 'jaccard'

interface Ratio {
  readonly name: RatioName
  readonly of: (
    hits: number,
    predicted: number,
    actual: number,
    samples: number,
  ) => readonly [numerator: number, denominator: number]
  /** Why there is no value where the denominator is 0. */
  readonly missing: (what: string) => string
}

const RATIOS: readonly Ratio[] = [
  {
    name: 'precision',
    of: (hits, predicted) => [hits, predicted],
    missing: (what) => `no sample was predicted as ${what}`,
  },
  {
    name: 'recall',
    of: (hits, _predicted, actual) => [hits, actual],
    missing: (what) => `no sample is labelled ${what}`,
  },
  {
    name: 'f1',
    of: (hits, predicted, actual) => [2 * hits, predicted + actual],
    missing: (what) => `no sample is labelled ${what} or was predicted so`,
  },
  {
    // The recall of everything else.
    name: 'specificity',
    of: (hits, predicted, actual, samples) => [samples - predicted - actual + hits, samples - actual],
    missing: (what) => `every sample is labelled ${what}`,
  },
  {
    name: 'jaccard',
    of: (hits, predicted, actual) => [hits, predicted + actual - hits],
    missing: (what) => `no sample is labelled ${what} or was predicted so`,
  },
]

/**
 * Precision, recall, F1, specificity and Jaccard index of each class, micro, macro and weighted, as scikit-learn 1.9 computes them for
 * `labels=range(classes), zero_division=np.nan`: a class without a value is left out of the averages, with its weight;
 * where the weights that remain are all 0, the weighted average is the plain one.
 */
export function classRatios(tally: Tally, classes: readonly string[]): MetricValue[] {
  return RATIOS.flatMap((ratio) => {
    const perClass = ratioPerClass(ratio, tally)
    return [
      ...perClass.map((value, k) =>
        entry(ratio.name, null, classes[k]!, value, reason(ratio, tally, quoted(classes[k]!))),
      ),
      micro(ratio, tally),
      entry(ratio.name, 'macro', null, mean(perClass), 'it is undefined for every class'),
      entry(ratio.name, 'weighted', null, mean(perClass, tally.actual), 'it is undefined for every class'),
    ]
  })
}

/** Those of one class as the whole's: scikit-learn's `average='binary'`. */
export function positiveRatios(tally: Tally, positive: number, name: string): MetricValue[] {
  return RATIOS.map((ratio) =>
    entry(ratio.name, null, null, ratioPerClass(ratio, tally)[positive]!, reason(ratio, tally, quoted(name))),
  )
}

/** Values of each class and their macro average, for a look while the counts still grow. */
export function macroRatios(tally: Tally): Look {
  return look((ratio) => mean(ratioPerClass(ratio, tally)))
}

/** Those of one class, for a look. */
export function oneClassRatios(tally: Tally, k: number): Look {
  return look((ratio) => ratioPerClass(ratio, tally)[k]!)
}

/** What is looked at while the counts still grow. */
type Look = Readonly<Record<'precision' | 'recall' | 'f1', number | null>>

const look = (value: (ratio: Ratio) => number | null): Look => {
  const [precision, recall, f1] = RATIOS as readonly [Ratio, Ratio, Ratio]
  return { precision: value(precision), recall: value(recall), f1: value(f1) }
}

const reason = (ratio: Ratio, { samples }: Tally, what: string): string =>
  samples === 0 ? 'there are no samples' : ratio.missing(what)

/** A value with the reason where it has none. */
export function entry(
  name: string,
  average: Average | null,
  className: string | null,
  value: number | null,
  reason: string,
): MetricValue {
  return { name, average, class: className, value, reason: value === null ? reason : null }
}

function ratioPerClass(ratio: Ratio, { hits, predicted, actual, samples }: Tally): (number | null)[] {
  return hits.map((hit, k) => divide(...ratio.of(hit, predicted[k]!, actual[k]!, samples)))
}

function micro(ratio: Ratio, tally: Tally): MetricValue {
  // As if each sample were asked about each class.
  const questions = tally.samples * tally.hits.length
  const value = divide(...ratio.of(total(tally.hits), total(tally.predicted), total(tally.actual), questions))
  return entry(ratio.name, 'micro', null, value, reason(ratio, tally, 'any class'))
}

function mean(values: readonly (number | null)[], weights?: readonly number[]): number | null {
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

const quoted = (name: string): string => `“${name}”`
