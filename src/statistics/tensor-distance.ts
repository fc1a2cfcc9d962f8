import type { DType } from '../tensor/index.ts'
import { addTo, NO_SUM, totalOf, type CompensatedSum } from './compensated-sum.ts'
import { elementDecoder, type ElementDecoder } from './decode-elements.ts'
import { elementBlocks } from './element-blocks.ts'
import { safeScale } from './extent.ts'

/** One side of a comparison. */
export interface TensorElements {
  readonly dtype: DType
  /** Dense little-endian bytes from the beginning. Called once, for 64-bit floats twice. */
  readonly elements: () => AsyncIterable<Uint8Array>
}

/**
 * How far a tensor is from another of the same shape, in float64. A pair of elements of which one is NaN or infinite is counted and left out
 * of all else. Complex tensors are vectors of twice as many real numbers. Null where there is no such number.
 */
export interface TensorDistance {
  readonly elements: number
  /** Whether both have the same dtype and the same bytes, NaN and all. */
  readonly identical: boolean
  /** Pairs that were left out. */
  readonly notFinite: number
  /** ‖b − a‖ */
  readonly l2: number | null
  /** ‖b − a‖ / ‖a‖; 0 where both are zero, null where only a is. */
  readonly relativeL2: number | null
  /** Largest |b − a|; null when there is no pair. */
  readonly maxAbsDifference: number | null
  /** a·b / ‖a‖‖b‖; null where either is zero. */
  readonly cosineSimilarity: number | null
  /** 1 − cosineSimilarity, precise also where it is small. */
  readonly cosineDistance: number | null
}

/** Why two tensors have no distance; null when they have one. */
export function incomparable(a: DType, b: DType): string | null {
  const [left, right] = [elementDecoder(a), elementDecoder(b)]
  if (left === null || right === null) return `a tensor of dtype ${left === null ? a : b} has no numbers to compare`
  if (left.parts !== right.parts) return `${a} and ${b}: a complex tensor has no distance from a real one`
  if (a !== b && (isQuantized(a) || isQuantized(b)))
    return `${a} and ${b}: the integers of a quantized tensor compare with its own kind only`
  return null
}

const isQuantized = (dtype: DType): boolean => /^qu?int/.test(dtype)

/** 1 − cos below which two tensors of about the same length are alike. */
const ALIKE = 0.1
/** Elements of a pass at a time. */
const STEP = 2048

/** Sums over all pairs, scaled. */
interface PairSums {
  readonly elements: number
  readonly notFinite: number
  readonly identical: boolean
  readonly maxAbs: number
  /** Σa², Σb², Σab, Σ(b − a)², Σ(b − a)(a + b). */
  readonly left: CompensatedSum
  readonly right: CompensatedSum
  readonly dot: CompensatedSum
  readonly difference: CompensatedSum
  readonly cross: CompensatedSum
}

/**
 * Reads two tensors of the same number of elements side by side, 32,768 elements at a time.
 * @throws RangeError when they are `incomparable`, or one has more elements than the other.
 */
export async function tensorDistance(a: TensorElements, b: TensorElements): Promise<TensorDistance> {
  const reason = incomparable(a.dtype, b.dtype)
  if (reason !== null) throw new RangeError(reason)
  const left = elementDecoder(a.dtype)!
  const right = elementDecoder(b.dtype)!
  const wide = left.wide || right.wide
  const scale = wide ? safeScale(Math.max(await magnitudeOf(a, left), await magnitudeOf(b, right))) : 1
  const parts = left.parts
  const leftValues = new Float64Array(STEP * parts)
  const rightValues = new Float64Array(STEP * parts)
  let sums: PairSums = {
    ...{ elements: 0, notFinite: 0, identical: a.dtype === b.dtype, maxAbs: 0 },
    ...{ left: NO_SUM, right: NO_SUM, dot: NO_SUM, difference: NO_SUM, cross: NO_SUM },
  }
  for await (const [leftBlock, rightBlock] of sideBySide(
    elementBlocks(a.elements(), left.itemSize),
    elementBlocks(b.elements(), right.itemSize),
  )) {
    const elements = leftBlock.length / left.itemSize
    if (elements !== rightBlock.length / right.itemSize) throw new RangeError('the tensors have different lengths')
    if (sums.identical && Buffer.compare(leftBlock, rightBlock) !== 0) sums = { ...sums, identical: false }
    const fillLeft = left.open(leftBlock)
    const fillRight = right.open(rightBlock)
    for (let first = 0; first < elements; first += STEP) {
      const count = Math.min(STEP, elements - first)
      fillLeft(first, count, leftValues)
      fillRight(first, count, rightValues)
      sums = addPairs(sums, leftValues, rightValues, count, parts, scale)
    }
  }
  return distanceOf(sums, scale)
}

/** Two streams in lockstep. Both are closed, whatever happens. */
async function* sideBySide<T>(a: AsyncGenerator<T, void>, b: AsyncGenerator<T, void>): AsyncGenerator<readonly [T, T]> {
  try {
    for (;;) {
      const [left, right] = await Promise.all([a.next(), b.next()])
      if (left.done !== right.done) throw new RangeError('the tensors have different lengths')
      if (left.done === true || right.done === true) return
      yield [left.value, right.value]
    }
  } finally {
    await Promise.allSettled([a.return(), b.return()])
  }
}

async function magnitudeOf({ elements }: TensorElements, { itemSize, parts, open }: ElementDecoder): Promise<number> {
  const values = new Float64Array(STEP * parts)
  let most = 0
  for await (const block of elementBlocks(elements(), itemSize)) {
    const fill = open(block)
    const length = block.length / itemSize
    for (let first = 0; first < length; first += STEP) {
      const count = Math.min(STEP, length - first)
      fill(first, count, values)
      for (let i = 0; i < count * parts; i++) {
        const size = Math.abs(values[i]!)
        if (size > most && size < Infinity) most = size
      }
    }
  }
  return most
}

function addPairs(
  sums: PairSums,
  a: Float64Array,
  b: Float64Array,
  count: number,
  parts: number,
  scale: number,
): PairSums {
  const plain = sumsOf(a, b, count, parts, scale)
  const finite = Number.isFinite(plain.left + plain.right)
  const excluded = finite ? 0 : excludeNotFinite(a, b, count, parts)
  const { left, right, dot, difference, cross, maxAbs } = finite ? plain : sumsOf(a, b, count, parts, scale)
  return {
    elements: sums.elements + count,
    notFinite: sums.notFinite + excluded,
    identical: sums.identical,
    maxAbs: Math.max(sums.maxAbs, maxAbs),
    left: addTo(sums.left, left),
    right: addTo(sums.right, right),
    dot: addTo(sums.dot, dot),
    difference: addTo(sums.difference, difference),
    cross: addTo(sums.cross, cross),
  }
}

/** Makes both sides of a pair zero when one is not finite: they add nothing. Returns how many. */
function excludeNotFinite(a: Float64Array, b: Float64Array, count: number, parts: number): number {
  let excluded = 0
  for (let i = 0; i < count; i++) {
    const from = i * parts
    const to = from + parts
    let finite = true
    for (let k = from; k < to; k++) finite &&= Number.isFinite(a[k]!) && Number.isFinite(b[k]!)
    if (finite) continue
    excluded++
    a.fill(0, from, to)
    b.fill(0, from, to)
  }
  return excluded
}

function sumsOf(a: Float64Array, b: Float64Array, count: number, parts: number, scale: number) {
  let left = 0
  let right = 0
  let dot = 0
  let difference = 0
  let cross = 0
  let maxAbs = 0
  const length = count * parts
  for (let i = 0; i < length; i++) {
    const x = a[i]! * scale
    const y = b[i]! * scale
    const d = y - x
    left += x * x
    right += y * y
    dot += x * y
    difference += d * d
    cross += d * (x + y)
    const size = d < 0 ? -d : d
    if (size > maxAbs) maxAbs = size
  }
  if (parts === 2) {
    maxAbs = 0
    for (let i = 0; i < length; i += 2)
      maxAbs = Math.max(maxAbs, Math.hypot((b[i]! - a[i]!) * scale, (b[i + 1]! - a[i + 1]!) * scale))
  }
  return { left, right, dot, difference, cross, maxAbs }
}

function distanceOf({ elements, notFinite, identical, maxAbs, ...sums }: PairSums, scale: number): TensorDistance {
  const a = Math.sqrt(totalOf(sums.left))
  const b = Math.sqrt(totalOf(sums.right))
  const squared = totalOf(sums.difference)
  const l2 = Math.sqrt(squared)
  const pairs = elements > notFinite
  let cosineDistance: number | null = null
  if (a > 0 && b > 0) {
    cosineDistance = 1 - totalOf(sums.dot) / a / b
    // Where a and b are alike, 1 − cos has lost its digits, and this has them:
    // ‖b − a‖² = (‖b‖ − ‖a‖)² + 2‖a‖‖b‖(1 − cos), with Σ(b − a)(a + b) = ‖b‖² − ‖a‖² without cancellation.
    if (cosineDistance < ALIKE && a / b < 2 && b / a < 2) {
      const longer = totalOf(sums.cross) / (a + b)
      cosineDistance = (squared - longer * longer) / (2 * a * b)
    }
    cosineDistance = Math.min(2, Math.max(0, cosineDistance))
  }
  return {
    ...{ elements, identical, notFinite },
    l2: pairs ? within(l2 / scale) : null,
    relativeL2: !pairs ? null : a > 0 ? within(l2 / a) : l2 === 0 ? 0 : null,
    maxAbsDifference: pairs ? within(maxAbs / scale) : null,
    cosineSimilarity: cosineDistance === null ? null : 1 - cosineDistance,
    cosineDistance,
  }
}

const within = (value: number): number | null => (Number.isFinite(value) ? value : null)
