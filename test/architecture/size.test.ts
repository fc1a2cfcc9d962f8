import { describe, expect, test } from '@jest/globals'
import {
  add,
  dimensionOf,
  divideDown,
  divideExactly,
  multiply,
  product,
  sameSize,
  subtract,
  symbol,
  type Size,
} from '../../src/architecture/size.ts'

const N = symbol('N')
const T = symbol('T')

describe('sizes that depend on the batch', () => {
  test('are written as people write them', () => {
    const sizes: readonly Size[] = [
      N,
      multiply(N, 2),
      add(multiply(N, T), 1),
      subtract(T, 3),
      multiply(N, -1),
      product([N, T, N, 4]),
    ]
    expect(sizes.map(dimensionOf)).toEqual(['N', '2*N', 'N*T + 1', 'T - 3', '-N', '4*N*N*T'])
  })

  test('become numbers again', () => {
    expect(subtract(add(N, 3), N)).toBe(3)
    expect(multiply(N, 0)).toBe(0)
    expect(divideExactly(product([N, T, 6]), product([2, T, N]))).toBe(3)
  })

  test('divide exactly or not at all', () => {
    expect(dimensionOf(divideExactly(add(multiply(N, 4), 2), 2)!)).toBe('2*N + 1')
    expect(divideExactly(add(multiply(N, 4), 1), 2)).toBeNull()
    expect(divideExactly(T, N)).toBeNull()
    expect(divideExactly(7, 2)).toBeNull()
    expect(divideExactly(7, 0)).toBeNull()
    expect(sameSize(divideExactly(add(N, T), add(T, N))!, 1)).toBe(true)
  })

  test('divide down, with the part that is open as a name', () => {
    expect(divideDown(7, 2)).toBe(3)
    expect(dimensionOf(divideDown(add(multiply(N, 4), 3), 2))).toBe('2*N + 1')
    expect(dimensionOf(divideDown(add(T, -1), 2))).toBe('floor((T - 1)/2)')
  })

  test('that would grow without end are refused', () => {
    let power: Size = add(N, 1)
    expect(() => {
      for (let i = 0; i < 40; i++) power = multiply(power, power)
    }).toThrow('too complex')
    let name: Size = T
    expect(() => {
      for (let i = 0; i < 4000; i++) name = divideDown(add(multiply(name, T), 1), 3)
    }).toThrow('too complex')
  })
})
