/**
 * The standard normal distribution's quantile, within 1.2e-9 relative (P. J. Acklam's rational approximation, 2003).
 * @param p from 0 to 1, both excluded.
 */
export function normalQuantile(p: number): number {
  const tail = 0.02425
  if (p < tail) return -upperTail(p)
  if (p > 1 - tail) return upperTail(1 - p)
  const q = p - 0.5
  const r = q * q
  return (q * polynomial(CENTRE_NUMERATOR, r)) / (polynomial(CENTRE_DENOMINATOR, r) * r + 1)
}

function upperTail(p: number): number {
  const q = Math.sqrt(-2 * Math.log(p))
  return -polynomial(TAIL_NUMERATOR, q) / (polynomial(TAIL_DENOMINATOR, q) * q + 1)
}

const polynomial = (coefficients: readonly number[], x: number): number =>
  coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0)

const CENTRE_NUMERATOR = [
  -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239,
]
const CENTRE_DENOMINATOR = [
  -54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572,
]
const TAIL_NUMERATOR = [
  -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
  2.938163982698783,
]
const TAIL_DENOMINATOR = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416]
