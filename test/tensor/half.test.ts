import { describe, expect, test } from '@jest/globals'
import { bfloat16ToNumber, float16ToNumber, numberToBfloat16, numberToFloat16 } from '../../src/tensor/index.ts'

// Expected bits: numpy.float32(x).astype('float16').view('uint16') and torch.tensor(x).to(torch.bfloat16).view(torch.uint16).
const CASES: readonly (readonly [number, number, number])[] = [
  [0, 0x0000, 0x0000],
  [-0, 0x8000, 0x8000],
  [1, 0x3c00, 0x3f80],
  [-2, 0xc000, 0xc000],
  [0.1, 0x2e66, 0x3dcd],
  [Math.fround(1 / 3), 0x3555, 0x3eab],
  [65504, 0x7bff, 0x4780],
  [65519, 0x7bff, 0x4780],
  [65520, 0x7c00, 0x4780],
  [1e30, 0x7c00, 0x714a],
  [2 ** -14, 0x0400, 0x3880],
  [2 ** -24, 0x0001, 0x3380],
  [2 ** -25, 0x0000, 0x3300],
  [3 * 2 ** -26, 0x0001, 0x3340],
  [6.103515625e-5 - 2 ** -25, 0x0400, 0x3880],
  [2049, 0x6800, 0x4500],
  [2051, 0x6802, 0x4500],
  [Infinity, 0x7c00, 0x7f80],
  [-Infinity, 0xfc00, 0xff80],
]

describe('half floats', () => {
  test.each(CASES)('%p rounds to the bits that numpy and torch give', (value, half, brain) => {
    expect(numberToFloat16(value)).toBe(half)
    expect(numberToBfloat16(value)).toBe(brain)
  })

  test('every float16 that is a number survives the way there and back', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = float16ToNumber(bits)
      if (Number.isNaN(value)) expect(numberToFloat16(value) & 0x7fff).toBeGreaterThan(0x7c00)
      else if (numberToFloat16(value) !== bits) throw new Error(`${bits.toString(16)} → ${value}`)
    }
  })

  test('every bfloat16 that is a number survives the way there and back', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = bfloat16ToNumber(bits)
      if (!Number.isNaN(value) && numberToBfloat16(value) !== bits) throw new Error(`${bits.toString(16)} → ${value}`)
    }
  })
})
