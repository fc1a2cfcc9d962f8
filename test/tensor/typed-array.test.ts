import { describe, expect, test } from '@jest/globals'
import { toFloat32, typedArrayOf } from '../../src/tensor/index.ts'

describe('typed arrays', () => {
  test('bytes that are not aligned are copied, aligned ones are not', () => {
    const bytes = new Uint8Array(9)
    new DataView(bytes.buffer).setFloat32(1, 1.5, true)
    expect([...typedArrayOf('float32', bytes.subarray(1, 5))]).toEqual([1.5])
    expect([...typedArrayOf('float32', Buffer.from(bytes.buffer, 1, 4))]).toEqual([1.5])
    expect(typedArrayOf('float32', bytes.subarray(4, 8)).buffer).toBe(bytes.buffer)
  })

  test('every real dtype becomes float32', () => {
    expect([...toFloat32('int64', BigInt64Array.of(-3n, 5n))]).toEqual([-3, 5])
    expect([...toFloat32('uint8', Uint8Array.of(0, 255))]).toEqual([0, 255])
    expect([...toFloat32('bool', Uint8Array.of(0, 1))]).toEqual([0, 1])
    expect([...toFloat32('float64', Float64Array.of(0.1))]).toEqual([Math.fround(0.1)])
    expect([...toFloat32('float16', Uint16Array.of(0x3c00))]).toEqual([1])
    expect([...toFloat32('bfloat16', Uint16Array.of(0x3f80))]).toEqual([1])
    const same = Float32Array.of(1)
    expect(toFloat32('float32', same)).toBe(same)
  })

  test('a dtype without numbers in JavaScript is refused by name', () => {
    expect(() => typedArrayOf('complex64', new Uint8Array(8))).toThrow('complex64')
  })
})
