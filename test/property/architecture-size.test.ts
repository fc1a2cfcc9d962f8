import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  add,
  dimensionOf,
  divideDown,
  divideExactly,
  multiply,
  sameSize,
  subtract,
  symbol,
  type Size,
} from '../../src/architecture/size.ts'

const atom: fc.Arbitrary<Size> = fc.oneof(
  fc.integer({ min: -6, max: 6 }),
  fc.constantFrom(symbol('N'), symbol('T'), symbol('H')),
)
const size: fc.Arbitrary<Size> = fc
  .array(fc.tuple(atom, fc.constantFrom(add, multiply, subtract)), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.reduce<Size>((sum, [next, combine]) => combine(sum, next), 1))
const names = fc.record({
  N: fc.integer({ min: 1, max: 9 }),
  T: fc.integer({ min: 1, max: 9 }),
  H: fc.integer({ min: 1, max: 9 }),
})

/** The number that a size is when its names have these values. */
const at = (value: Size, values: Readonly<Record<string, number>>): number =>
  typeof value === 'number'
    ? value
    : value.terms.reduce(
        (sum, { coefficient, factors }) =>
          sum + factors.reduce((product, factor) => product * values[factor]!, coefficient),
        0,
      )

describe('sizes compute as numbers do, whatever their names stand for', () => {
  test('sums, differences and products', () => {
    fc.assert(
      fc.property(size, size, names, (a, b, values) => {
        expect(at(add(a, b), values)).toBe(at(a, values) + at(b, values))
        expect(at(subtract(a, b), values)).toBe(at(a, values) - at(b, values))
        expect(at(multiply(a, b), values)).toBe(at(a, values) * at(b, values) + 0)
        expect(sameSize(subtract(add(a, b), b), a)).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })

  test('quotients', () => {
    fc.assert(
      fc.property(size, size, fc.integer({ min: 1, max: 5 }), names, (a, b, divisor, values) => {
        const exact = divideExactly(a, b)
        if (exact !== null) expect(at(exact, values) * at(b, values) + 0).toBe(at(a, values) + 0)
        const down = divideDown(a, divisor)
        if (!String(dimensionOf(down)).includes('floor'))
          expect(at(down, values) + 0).toBe(Math.floor(at(a, values) / divisor) + 0)
      }),
      { numRuns: 1000 },
    )
  })

  test('equal text means equal size', () => {
    fc.assert(
      fc.property(size, size, names, (a, b, values) => {
        if (dimensionOf(a) === dimensionOf(b)) expect(at(a, values)).toBe(at(b, values))
      }),
      { numRuns: 1000 },
    )
  })
})
