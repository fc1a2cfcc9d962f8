import { addTo, joinSums, NO_SUM, totalOf, type CompensatedSum } from './compensated-sum.ts'
import { finiteCount, safeScale, type Extent } from './extent.ts'

/** Bins of a histogram. */
export const HISTOGRAM_BINS = 64

/** Where a distribution is counted: fixed by the extent of all values, before the first is counted. */
export interface DistributionFrame {
  /** Values are multiplied by it: a power of two. */
  readonly scale: number
  /** Near the mean, scaled: squares of differences from it lose nothing. */
  readonly center: number
  /** Scaled, one more than bins. */
  readonly edges: Float64Array
}

/** What is known of some of the values, in a frame. */
export interface Distribution {
  readonly count: number
  /** Σ(x − center), scaled. */
  readonly sum: CompensatedSum
  /** Σ(x − center)², scaled. */
  readonly squares: CompensatedSum
  readonly counts: Float64Array
}

/** The distribution of nothing. */
export const emptyDistribution = (): Distribution => ({
  count: 0,
  sum: NO_SUM,
  squares: NO_SUM,
  counts: new Float64Array(HISTOGRAM_BINS),
})

/** The frame of values with an extent. The edges are those of numpy.linspace. */
export function frameOf(extent: Extent): DistributionFrame {
  const { min, max, roughSum } = extent
  const scale = safeScale(Math.max(Math.abs(min), Math.abs(max)))
  const low = min * scale
  const high = max * scale
  const mean = (roughSum / finiteCount(extent)) * scale
  const center = Number.isFinite(mean) ? mean : (low + high) / 2
  const step = (high - low) / HISTOGRAM_BINS
  const edges = Float64Array.from({ length: HISTOGRAM_BINS + 1 }, (_, i) => i * step + low)
  edges[HISTOGRAM_BINS] = high
  return { scale, center, edges }
}

/** Counts the first `count` values, all finite. The counts of `state` are changed in place. */
export function addValues(
  { scale, center, edges }: DistributionFrame,
  state: Distribution,
  values: Float64Array,
  count: number,
): Distribution {
  const { counts } = state
  const low = edges[0]!
  const width = edges[HISTOGRAM_BINS]! - low
  const factor = width > 0 ? HISTOGRAM_BINS / width : 0
  const last = HISTOGRAM_BINS - 1
  let sum0 = 0
  let sum1 = 0
  let squares0 = 0
  let squares1 = 0
  // Two of each: an addition waits for the one before it.
  const even = count - (count % 2)
  for (let i = 0; i < even; i += 2) {
    const value0 = values[i]! * scale
    const value1 = values[i + 1]! * scale
    const difference0 = value0 - center
    const difference1 = value1 - center
    sum0 += difference0
    sum1 += difference1
    squares0 += difference0 * difference0
    squares1 += difference1 * difference1
    let bin0 = ((value0 - low) * factor) | 0
    let bin1 = ((value1 - low) * factor) | 0
    if (bin0 > last) bin0 = last
    if (bin1 > last) bin1 = last
    // The product is rounded: the edges decide, as in numpy.histogram.
    if (value0 < edges[bin0]!) bin0--
    else if (bin0 < last && value0 >= edges[bin0 + 1]!) bin0++
    if (value1 < edges[bin1]!) bin1--
    else if (bin1 < last && value1 >= edges[bin1 + 1]!) bin1++
    counts[bin0]!++
    counts[bin1]!++
  }
  if (even < count) {
    const value = values[even]! * scale
    const difference = value - center
    sum0 += difference
    squares0 += difference * difference
    let bin = Math.min(last, ((value - low) * factor) | 0)
    if (value < edges[bin]!) bin--
    else if (bin < last && value >= edges[bin + 1]!) bin++
    counts[bin]!++
  }
  // All values are equal: the one bin that is not empty is the last, which has its right edge.
  if (width === 0) counts.fill(0).fill(state.count + count, last)
  return {
    count: state.count + count,
    sum: addTo(state.sum, sum0 + sum1),
    squares: addTo(state.squares, squares0 + squares1),
    counts,
  }
}

/** The distribution of both, of one frame. */
export const mergeDistributions = (a: Distribution, b: Distribution): Distribution => ({
  count: a.count + b.count,
  sum: joinSums(a.sum, b.sum),
  squares: joinSums(a.squares, b.squares),
  counts: a.counts.map((count, bin) => count + b.counts[bin]!),
})

/** Mean, sample standard deviation (null below two values) and L2 norm. Null where the number is beyond float64. */
export function momentsOf(
  { scale, center }: DistributionFrame,
  { count, sum, squares }: Distribution,
): { readonly mean: number | null; readonly std: number | null; readonly norm: number | null } {
  if (count === 0) return { mean: null, std: null, norm: null }
  const s = totalOf(sum)
  const q = totalOf(squares)
  const variance = count < 2 ? null : Math.max(0, q - (s * s) / count) / (count - 1)
  return {
    mean: within((center + s / count) / scale),
    std: variance === null ? null : within(Math.sqrt(variance) / scale),
    norm: within(Math.sqrt(Math.max(0, q + 2 * center * s + count * center * center)) / scale),
  }
}

const within = (value: number): number | null => (Number.isFinite(value) ? value : null)
