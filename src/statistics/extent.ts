/** What one look at the values tells: how many there are of each kind, and how far the finite ones reach. */
export interface Extent {
  readonly elements: number
  readonly nan: number
  readonly positiveInfinity: number
  readonly negativeInfinity: number
  /** Of either sign. */
  readonly zeros: number
  /** Of the finite values; Infinity where there is none. */
  readonly min: number
  /** Of the finite values; -Infinity where there is none. */
  readonly max: number
  /** Of the finite values, rounded: where their middle is, roughly. */
  readonly roughSum: number
}

/** The extent of nothing. */
export const EMPTY_EXTENT: Extent = {
  elements: 0,
  nan: 0,
  positiveInfinity: 0,
  negativeInfinity: 0,
  zeros: 0,
  min: Infinity,
  max: -Infinity,
  roughSum: 0,
}

/** Finite values of an extent. */
export const finiteCount = ({ elements, nan, positiveInfinity, negativeInfinity }: Extent): number =>
  elements - nan - positiveInfinity - negativeInfinity

/** The extent of the first `count` values. When some are not finite, those that are come first in `values` afterwards. */
export function extentOf(values: Float64Array, count: number): Extent {
  const all = finiteExtent(values, count)
  // What is not finite makes the sum so. (So do finite values whose sum is beyond float64: they are looked at again, to no harm.)
  if (Number.isFinite(all.roughSum)) return all
  let kept = 0
  let nan = 0
  let positiveInfinity = 0
  let negativeInfinity = 0
  for (let i = 0; i < count; i++) {
    const value = values[i]!
    if (Number.isNaN(value)) nan++
    else if (value === Infinity) positiveInfinity++
    else if (value === -Infinity) negativeInfinity++
    else values[kept++] = value
  }
  return { ...finiteExtent(values, kept), elements: count, nan, positiveInfinity, negativeInfinity }
}

function finiteExtent(values: Float64Array, count: number): Extent {
  let min = Infinity
  let max = -Infinity
  let zeros = 0
  let even = 0
  let odd = 0
  // Two sums: an addition waits for the one before it.
  for (let i = 0; i + 1 < count; i += 2) {
    const first = values[i]!
    const second = values[i + 1]!
    if (first < min) min = first
    if (first > max) max = first
    if (second < min) min = second
    if (second > max) max = second
    if (first === 0) zeros++
    if (second === 0) zeros++
    even += first
    odd += second
  }
  if (count % 2 === 1) {
    const last = values[count - 1]!
    if (last < min) min = last
    if (last > max) max = last
    if (last === 0) zeros++
    even += last
  }
  return { elements: count, nan: 0, positiveInfinity: 0, negativeInfinity: 0, zeros, min, max, roughSum: even + odd }
}

/** The extent of both. */
export const mergeExtents = (a: Extent, b: Extent): Extent => ({
  elements: a.elements + b.elements,
  nan: a.nan + b.nan,
  positiveInfinity: a.positiveInfinity + b.positiveInfinity,
  negativeInfinity: a.negativeInfinity + b.negativeInfinity,
  zeros: a.zeros + b.zeros,
  min: Math.min(a.min, b.min),
  max: Math.max(a.max, b.max),
  roughSum: a.roughSum + b.roughSum,
})

/** Larger exponents of 2 have squares outside of float64. */
const SAFE_EXPONENT = 500
/** A power of two itself has to be a float64. */
const MAX_EXPONENT = 1000

/**
 * The power of two by which values up to this magnitude are multiplied, without rounding, so that neither their squares nor sums of those
 * leave float64; 1 where nothing has to be done.
 */
export function safeScale(magnitude: number): number {
  if (magnitude === 0 || !Number.isFinite(magnitude)) return 1
  const exponent = Math.floor(Math.log2(magnitude))
  if (Math.abs(exponent) <= SAFE_EXPONENT) return 1
  return 2 ** Math.max(-MAX_EXPONENT, Math.min(MAX_EXPONENT, -exponent))
}
