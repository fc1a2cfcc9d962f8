import type { ClassCounts } from './class-counts.ts'
import { entry, type Estimate } from './estimate.ts'

/**
 * How far choices and classes agree beyond their shares: balanced accuracy, Matthews' correlation coefficient and Cohen's kappa, as scikit-learn
 * computes them, except that a coefficient whose denominator is 0 is undefined, and not 0. Products of counts are whole numbers of any
 * size, those of weights float64.
 */
export function agreement({ weight, hits, predicted, actual, squares }: ClassCounts): Estimate[] {
  const recalls = hits.flatMap((hit, k) => (actual[k]! === 0 ? [] : [hit / actual[k]!]))
  const balanced = recalls.length === 0 ? null : recalls.reduce((sum, recall) => sum + recall, 0) / recalls.length
  const { mcc, kappa, oneLabel } =
    squares === null && Number.isSafeInteger(weight)
      ? ofCounts(weight, hits, predicted, actual)
      : ofWeights(weight, hits, predicted, actual)
  const reason = (other: string) => () => (weight === 0 ? 'there are no samples' : other)
  return [
    entry('balancedAccuracy', null, null, balanced, reason('')),
    entry('mcc', null, null, mcc, reason(`all samples ${oneLabel ? 'are labelled' : 'were predicted as'} one class`)),
    entry('cohenKappa', null, null, kappa, reason('all samples are labelled one class, and were predicted so')),
  ]
}

interface Agreement {
  readonly mcc: number | null
  readonly kappa: number | null
  readonly oneLabel: boolean
}

type Numbers = readonly number[]

function ofCounts(samples: number, hits: Numbers, predicted: Numbers, actual: Numbers): Agreement {
  const n = BigInt(samples)
  const sum = (a: Numbers, b: Numbers): bigint =>
    a.reduce((total, count, k) => total + BigInt(count) * BigInt(b[k]!), 0n)
  const right = n * BigInt(hits.reduce((total, hit) => total + hit, 0))
  const chance = sum(predicted, actual)
  const [choices, labels] = [n * n - sum(predicted, predicted), n * n - sum(actual, actual)]
  return {
    mcc:
      choices === 0n || labels === 0n
        ? null
        : Number(right - chance) / (Math.sqrt(Number(choices)) * Math.sqrt(Number(labels))),
    kappa: n * n === chance ? null : Number(right - chance) / Number(n * n - chance),
    oneLabel: labels === 0n,
  }
}

function ofWeights(n: number, hits: Numbers, predicted: Numbers, actual: Numbers): Agreement {
  const sum = (a: Numbers, b: Numbers): number => a.reduce((total, weight, k) => total + weight * b[k]!, 0)
  const several = (weights: Numbers): boolean => weights.filter((weight) => weight > 0).length > 1
  const right = n * hits.reduce((total, hit) => total + hit, 0)
  const chance = sum(predicted, actual)
  const labels = several(actual)
  return {
    mcc:
      several(predicted) && labels
        ? (right - chance) / (Math.sqrt(n * n - sum(predicted, predicted)) * Math.sqrt(n * n - sum(actual, actual)))
        : null,
    // Chance is certain where one class has all labels and all choices.
    kappa: n === 0 || (!labels && hits.some((hit) => hit === n)) ? null : (right - chance) / (n * n - chance),
    oneLabel: !labels,
  }
}
