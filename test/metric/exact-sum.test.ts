import { describe, expect, test } from '@jest/globals'
import { dyadicOf, exactMean, minus, quotient, times, wholeNumber } from '../../src/metric/dyadic.ts'
import { exactAdder, mergeSums, ZERO_SUM, type ExactSum } from '../../src/metric/exact-sum.ts'

const sumOf = (...values: number[]): ExactSum => {
  const adder = exactAdder()
  adder.load(ZERO_SUM)
  for (const value of values) adder.add(value)
  return adder.take()
}
const value = (sum: ExactSum): number => exactMean(sum, 1)

describe('exact sums', () => {
  test('lose nothing where float64 addition loses everything', () => {
    expect(1e308 + 1 - 1e308).toBe(0)
    expect(value(sumOf(1e308, 1, -1e308))).toBe(1)
    expect(value(sumOf(1e308, 1e308, -1e308))).toBe(1e308)
    expect(value(sumOf(2 ** -1074, 1, -1))).toBe(2 ** -1074)
    expect(value(sumOf(-1, 2 ** -60, -(2 ** -60)))).toBe(-1)
  })

  test.each([
    0,
    -0,
    1,
    -1,
    0.1,
    -0.1,
    2 ** -1074,
    2 ** -1022,
    Number.MAX_VALUE,
    -Number.MAX_VALUE,
    2 ** 52 + 0.5,
    Math.PI,
  ])('of one number %p is that number', (x) => expect(value(sumOf(x))).toBe(x + 0))

  test('are one and the same JSON for equal sums, the empty one for 0', () => {
    expect(sumOf(3, 0.1, -7e200)).toEqual(sumOf(-7e200, 3, 0.1))
    expect(sumOf(5, -5)).toEqual(ZERO_SUM)
    expect(JSON.parse(JSON.stringify(sumOf(-3, 1e-9)))).toEqual(sumOf(-3, 1e-9))
  })

  test('of opposite signs merge to what they are together', () => {
    expect(mergeSums(sumOf(1e100, -3), sumOf(-1e100))).toEqual(sumOf(-3))
    expect(mergeSums(sumOf(2.5), ZERO_SUM)).toEqual(sumOf(2.5))
    expect(mergeSums(ZERO_SUM, sumOf(-2.5))).toEqual(sumOf(-2.5))
  })

  test('carry in time: three million additions of the most digits', () => {
    const adder = exactAdder()
    adder.load(ZERO_SUM)
    for (let i = 0; i < 3_000_000; i++) adder.add(2 ** 53 - 1)
    const { mantissa, exponent } = dyadicOf(adder.take())
    expect(mantissa << BigInt(exponent + 1074)).toBe(((2n ** 53n - 1n) * 3_000_000n) << 1074n)
  })

  test('refuse NaN and infinities, which are the caller’s to count', () => {
    expect(() => sumOf(NaN)).toThrow('invariant')
    expect(() => sumOf(Infinity)).toThrow('invariant')
  })
})

describe('quotients', () => {
  const number = (x: number) => dyadicOf(sumOf(x))

  test('are rounded as the hardware rounds', () => {
    for (const [a, b] of [
      [1, 3],
      [-2, 3],
      [1e300, 7e-300 * 1e300],
      [0.1, -0.7],
      [0, 5],
    ] as const)
      expect(quotient(number(a), number(b))).toBe(a / b)
  })

  test('of numbers beyond float64 are exact until the end', () => {
    const huge = times(number(1e300), number(1e300))
    expect(quotient(huge, times(huge, wholeNumber(3)))).toBe(1 / 3)
    expect(quotient(minus(huge, minus(huge, wholeNumber(2))), wholeNumber(8))).toBe(0.25)
  })
})
