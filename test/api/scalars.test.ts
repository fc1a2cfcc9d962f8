import { describe, expect, test } from '@jest/globals'
import { parseValue as parseLiteralText } from 'graphql'
import { DateTimeScalar, JsonScalar, SafeIntScalar } from '../../src/api/scalars.ts'

describe('DateTime', () => {
  test('is ISO 8601 in UTC with milliseconds', () => {
    expect(DateTimeScalar.serialize(new Date(Date.UTC(2026, 0, 31, 12)))).toBe('2026-01-31T12:00:00.000Z')
    expect(DateTimeScalar.parseValue('2026-01-31T13:00:00+01:00')).toEqual(new Date('2026-01-31T12:00:00.000Z'))
    expect(DateTimeScalar.parseLiteral(parseLiteralText('"2026-01-31T12:00:00Z"'))).toEqual(
      new Date('2026-01-31T12:00:00.000Z'),
    )
  })
  test.each([
    ['yesterday'],
    ['2026-01-31'],
    ['2026-01-31T12:00:00'],
    ['2026-13-31T12:00:00Z'],
    [1_700_000_000],
    [null],
  ])('is not %p', (value) => {
    expect(() => DateTimeScalar.parseValue(value)).toThrow('DateTime cannot represent')
  })
  test('is never made of an invalid date', () => {
    expect(() => DateTimeScalar.serialize(new Date(Number.NaN))).toThrow('valid Date')
  })
})

describe('SafeInt', () => {
  test.each([
    [2n ** 53n - 1n, 9_007_199_254_740_991],
    [-(2n ** 53n) + 1n, -9_007_199_254_740_991],
    [0, 0],
    [64 * 2 ** 30, 68_719_476_736],
  ])('holds %p', (value, expected) => {
    expect(SafeIntScalar.serialize(value)).toBe(expected)
  })
  test.each([[2n ** 53n], [1.5], [Number.NaN], ['12']])('does not hold %p', (value) => {
    expect(() => SafeIntScalar.serialize(value)).toThrow('whole number')
  })
  test.each([[1.5], ['12'], [2 ** 53], [null]])('is not read from %p', (value) => {
    expect(() => SafeIntScalar.parseValue(value)).toThrow('SafeInt cannot represent')
  })
})

describe('JSON', () => {
  test('is any value, as a variable and as a literal', () => {
    const value = { layers: [{ type: 'Linear', in_features: 4, bias: false }], input: [4], note: null }
    expect(JsonScalar.parseValue(value)).toEqual(value)
    expect(
      JsonScalar.parseLiteral(
        parseLiteralText('{layers: [{type: "Linear", in_features: 4, bias: false}], input: [4], note: null}'),
      ),
    ).toEqual(value)
  })
  test('nested beyond any use is refused without recursion', () => {
    const deep = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) as unknown
    expect(() => JsonScalar.parseValue(deep)).toThrow('nested more than 64 levels deep')
  })
})
