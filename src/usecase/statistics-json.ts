import type { Histogram, TensorStatistics } from '../statistics/index.ts'
import type { Prisma } from '../store/index.ts'

/** Statistics as they are stored: the edges of the histogram follow from minimum, maximum and the number of bins. */
type StoredStatistics = Omit<TensorStatistics, 'histogram'> & { readonly counts: readonly number[] | null }

/** For the column `value` of TensorStatistics. */
export function statisticsJson({ histogram, ...rest }: TensorStatistics): Prisma.InputJsonObject {
  return { ...rest, counts: histogram === null ? null : [...histogram.counts] }
}

/** Statistics from that column, which we wrote. */
export function statisticsOf(value: unknown): TensorStatistics {
  const { counts, ...rest } = value as StoredStatistics
  const { min, max } = rest
  return { ...rest, histogram: counts === null || min === null || max === null ? null : histogram(counts, min, max) }
}

/** Halves: the difference of two float64 may be beyond float64. */
function histogram(counts: readonly number[], min: number, max: number): Histogram {
  const bins = counts.length
  const step = (max / 2 - min / 2) / bins
  const edges = Array.from({ length: bins + 1 }, (_, i) => (i === bins ? max : (i * step + min / 2) * 2))
  return { edges, counts }
}
