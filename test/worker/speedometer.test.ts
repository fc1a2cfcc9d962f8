import { describe, expect, test } from '@jest/globals'
import { speedometer } from '../../src/worker/speedometer.ts'

describe('speedometer', () => {
  test('measures the last five seconds', () => {
    let now = 0
    const speedAt = speedometer(() => now, 100)
    expect(speedAt(100)).toBe(0)
    now = 1000
    expect(speedAt(300)).toBe(200)
    now = 2000
    expect(speedAt(500)).toBe(200)
    // Then it stands still.
    for (now = 3000; now <= 6000; now += 1000) speedAt(500)
    now = 7000
    expect(speedAt(500)).toBe(0)
  })

  test('is never below zero: a shard that was taken over counts again', () => {
    let now = 0
    const speedAt = speedometer(() => now, 100)
    now = 500
    expect(speedAt(10)).toBe(0)
  })
})
