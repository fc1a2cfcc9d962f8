import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { dyadicOf, quotient } from '../../../src/metric/dyadic.ts'
import { exactAdder, mergeSums, ZERO_SUM, type ExactSum } from '../../../src/metric/exact-sum.ts'

const finite = fc.double({ noNaN: true, noDefaultInfinity: true })

/** A float64 number in units of 2^-1074, from its bits alone. */
function units(value: number): bigint {
  const bits = new BigUint64Array(Float64Array.of(value).buffer)[0]!
  const exponent = (bits >> 52n) & 0x7ffn
  const fraction = bits & 0xfffffffffffffn
  const magnitude = exponent === 0n ? fraction : (fraction | 0x10000000000000n) << (exponent - 1n)
  return bits >> 63n === 0n ? magnitude : -magnitude
}

const sumOf = (values: readonly number[]): ExactSum => {
  const adder = exactAdder()
  adder.load(ZERO_SUM)
  for (const value of values) adder.add(value)
  return adder.take()
}

describe('an exact sum', () => {
  test('is the integer sum of its numbers', () => {
    fc.assert(
      fc.property(fc.array(finite), fc.array(finite), (a, b) => {
        const { mantissa, exponent } = dyadicOf(mergeSums(sumOf(a), sumOf(b)))
        expect(mantissa << BigInt(exponent + 1074)).toBe([...a, ...b].map(units).reduce((x, y) => x + y, 0n))
      }),
    )
  })

  test('divided by another is what one float64 division of two numbers gives', () => {
    fc.assert(
      fc.property(finite, finite, (a, b) => {
        // Subnormal quotients are rounded twice; nothing that is measured here is that small.
        fc.pre(b !== 0 && (a === 0 || Math.abs(a / b) > 2 ** -1021))
        expect(quotient(dyadicOf(sumOf([a])), dyadicOf(sumOf([b]))) + 0).toBe(a / b + 0)
      }),
    )
  })
})
