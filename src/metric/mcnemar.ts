import { erfc } from './erfc.ts'

/** How often two runs were right about the same samples. */
export interface Agreement {
  readonly bothRight: number
  readonly bothWrong: number
  /** Right by the first only, and by the second only. */
  readonly broken: number
  readonly fixed: number
}

/** McNemar's test of two runs. */
export interface McNemarTest extends Agreement {
  /** Chi-squared with Edwards' correction; null where the test is exact. */
  readonly statistic: number | null
  readonly pValue: number
  readonly exact: boolean
}

/** Samples that differ from which on chi-squared is near enough. */
const ENOUGH = 25

/**
 * Whether one of two runs is right more often than by chance (Q. McNemar, "Note on the sampling error of the difference between correlated
 * proportions", 1947): exact, by the binomial distribution, where few samples differ.
 */
export function mcNemar(agreement: Agreement): McNemarTest {
  const { broken, fixed } = agreement
  const n = broken + fixed
  if (n < ENOUGH) return { ...agreement, statistic: null, pValue: binomial(Math.min(broken, fixed), n), exact: true }
  const statistic = Math.max(0, Math.abs(broken - fixed) - 1) ** 2 / n
  return { ...agreement, statistic, pValue: erfc(Math.sqrt(statistic / 2)), exact: false }
}

/** Two-sided: twice the probability of k or fewer of n fair coins, at most 1. */
function binomial(k: number, n: number): number {
  let term = 2 ** -n
  let sum = term
  for (let i = 1; i <= k; i++) sum += term *= (n - i + 1) / i
  return Math.min(1, 2 * sum)
}
