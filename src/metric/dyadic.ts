import type { ExactSum } from './exact-sum.ts'

/** The number `mantissa`·2^`exponent`, exactly. Sums and products of float64 numbers are such numbers. */
export interface Dyadic {
  readonly mantissa: bigint
  readonly exponent: number
}

/** An exact sum as one integer and a power of two. */
export function dyadicOf(sum: ExactSum): Dyadic {
  let mantissa = 0n
  for (let i = sum.limbs.length - 1; i >= 0; i--) mantissa = (mantissa << 32n) + BigInt(sum.limbs[i]!)
  return { mantissa, exponent: 32 * sum.lowest - 1074 }
}

/** A count as a dyadic number. */
export const wholeNumber = (value: number): Dyadic => ({ mantissa: BigInt(value), exponent: 0 })

/** a·b. */
export const times = (a: Dyadic, b: Dyadic): Dyadic => ({
  mantissa: a.mantissa * b.mantissa,
  exponent: a.exponent + b.exponent,
})

/** a − b. */
export function minus(a: Dyadic, b: Dyadic): Dyadic {
  const exponent = Math.min(a.exponent, b.exponent)
  const aligned = (x: Dyadic): bigint => x.mantissa << BigInt(x.exponent - exponent)
  return { mantissa: aligned(a) - aligned(b), exponent }
}

/** The float64 number nearest to a / b, rounded once. b is not zero. */
export function quotient(a: Dyadic, b: Dyadic): number {
  if (a.mantissa === 0n) return 0
  let numerator = magnitude(a.mantissa)
  let denominator = magnitude(b.mantissa)
  // A quotient of more than 64 bits; what is left of the division only matters for which side of a tie it is on.
  const shift = 72 + bitLength(denominator) - bitLength(numerator)
  if (shift > 0) numerator <<= BigInt(shift)
  else denominator <<= BigInt(-shift)
  let bits = numerator / denominator
  if (bits * denominator !== numerator) bits |= 1n
  const exponent = a.exponent - b.exponent - shift
  // In two steps, because 2^exponent alone may be out of range where the product is not.
  const half = Math.trunc(exponent / 2)
  const value = Number(bits) * 2 ** half * 2 ** (exponent - half)
  return a.mantissa < 0n === b.mantissa < 0n ? value : -value
}

const magnitude = (value: bigint): bigint => (value < 0n ? -value : value)

/** Within four bits. */
const bitLength = (value: bigint): number => value.toString(16).length * 4

/** The mean of `count` numbers from their exact sum, rounded once. */
export const exactMean = (sum: ExactSum, count: number): number => quotient(dyadicOf(sum), wholeNumber(count))
