import type { TensorStatistics } from './tensor-statistics.ts'

/** `3 NaN, 1 Inf, 2 -Inf`; null when all values are finite. */
export function notFiniteText(
  statistics: Pick<TensorStatistics, 'nan' | 'positiveInfinity' | 'negativeInfinity'>,
): string | null {
  const { nan, positiveInfinity, negativeInfinity } = statistics
  const parts = [
    ...(nan > 0 ? [`${nan} NaN`] : []),
    ...(positiveInfinity > 0 ? [`${positiveInfinity} Inf`] : []),
    ...(negativeInfinity > 0 ? [`${negativeInfinity} -Inf`] : []),
  ]
  return parts.length === 0 ? null : parts.join(', ')
}
