import { describe, expect, test } from '@jest/globals'
import { castBetween, isCastable } from '../../src/evaluation/cast.ts'
import { itemSize, typedArrayOf, type DType, type TypedArray } from '../../src/tensor/index.ts'

function cast(from: DType, to: DType, elements: TypedArray): TypedArray {
  const source = new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength)
  const target = new Uint8Array(elements.length * itemSize(to))
  castBetween(from, to)(source, target)
  return typedArrayOf(to, target)
}

// Expected values are computed by hand from the formats' definitions; test/interop compares all bits with PyTorch.
describe('a cast', () => {
  test('widens half floats exactly', () => {
    expect([...cast('float16', 'float32', Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff))]).toEqual([
      1,
      -2,
      2 ** -24,
      65504,
    ])
    expect([...cast('bfloat16', 'float32', Uint16Array.of(0x3f80, 0xc000, 0x7f80))]).toEqual([1, -2, Infinity])
  })

  test('reads eight-bit floats', () => {
    expect([...cast('float8_e4m3fn', 'float32', Uint8Array.of(0x38, 0x7e, 0x01, 0xb8))]).toEqual([1, 448, 2 ** -9, -1])
    expect([...cast('float8_e5m2', 'float32', Uint8Array.of(0x3c, 0x7b, 0x7c, 0xfc))]).toEqual([
      1,
      57344,
      Infinity,
      -Infinity,
    ])
    expect([...cast('float8_e8m0fnu', 'float32', Uint8Array.of(127, 128))]).toEqual([1, 2])
    expect(cast('float8_e4m3fnuz', 'float32', Uint8Array.of(0x80))[0]).toBeNaN()
  })

  test('rounds to nearest, truncates to integers, and makes true of anything but zero', () => {
    expect([...cast('float64', 'float32', Float64Array.of(0.1, 1e300))]).toEqual([Math.fround(0.1), Infinity])
    expect([...cast('float32', 'int64', Float32Array.of(-1.9, 1.9))]).toEqual([-1n, 1n])
    expect([...cast('float32', 'bool', Float32Array.of(0, -0, 0.5))]).toEqual([0, 0, 1])
  })

  test('reads int64 and uint64 by halves', () => {
    const values = [0n, 1n, -1n, -(2n ** 31n), 2n ** 32n, -(2n ** 53n), 2n ** 53n - 1n]
    expect([...cast('int64', 'float64', BigInt64Array.from(values))]).toEqual(values.map(Number))
    expect([...cast('uint64', 'float64', BigUint64Array.of(2n ** 63n, 5n))]).toEqual([2 ** 63, 5])
  })

  test('reads from any alignment', () => {
    const bytes = new Uint8Array(9)
    new DataView(bytes.buffer).setFloat64(1, 2.5, true)
    const target = new Uint8Array(4)
    castBetween('float64', 'float32')(bytes.subarray(1), target)
    expect(new Float32Array(target.buffer)[0]).toBe(2.5)
  })

  test.each(['complex64', 'complex128', 'qint8', 'quint4x2'] as const)('from %s there is none', (from) => {
    expect(isCastable(from)).toBe(false)
    expect(() => castBetween(from, 'float32')).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }))
  })
})
