import type { MetricValue } from './accumulator.ts'
import { entry, type Tally } from './class-ratios.ts'

/**
 * How far choices and classes agree beyond their shares: balanced accuracy, Matthews' correlation coefficient and Cohen's kappa, as scikit-learn
 * computes them, except that a coefficient whose denominator is 0 is undefined, and not 0. Products of counts are whole numbers of any size.
 */
export function agreement(tally: Tally): MetricValue[] {
  const { samples, hits, predicted, actual } = tally
  const recalls = hits.flatMap((hit, k) => (actual[k]! === 0 ? [] : [hit / actual[k]!]))
  const balanced = recalls.length === 0 ? null : recalls.reduce((sum, recall) => sum + recall, 0) / recalls.length
  const n = BigInt(samples)
  const sum = (a: readonly number[], b: readonly number[]): bigint =>
    a.reduce((total, count, k) => total + BigInt(count) * BigInt(b[k]!), 0n)
  const right = n * BigInt(hits.reduce((total, hit) => total + hit, 0))
  const chance = sum(predicted, actual)
  const [choices, labels] = [n * n - sum(predicted, predicted), n * n - sum(actual, actual)]
  const mcc =
    choices === 0n || labels === 0n
      ? null
      : Number(right - chance) / (Math.sqrt(Number(choices)) * Math.sqrt(Number(labels)))
  const kappa = n * n === chance ? null : Number(right - chance) / Number(n * n - chance)
  const none = 'there are no samples'
  return [
    entry('balancedAccuracy', null, null, balanced, none),
    entry(
      'mcc',
      null,
      null,
      mcc,
      samples === 0 ? none : `all samples ${labels === 0n ? 'are labelled' : 'were predicted as'} one class`,
    ),
    entry(
      'cohenKappa',
      null,
      null,
      kappa,
      samples === 0 ? none : 'all samples are labelled one class, and were predicted so',
    ),
  ]
}
