import { describe, expect, test } from '@jest/globals'
import { setTimeout as delay } from 'node:timers/promises'
import type { Progress } from '../../src/evaluation/index.ts'
import { progressWriter } from '../../src/worker/progress-writer.ts'

const progress = (samples: number): Progress => ({
  samples,
  total: 10,
  samplesPerSecond: 1,
  etaSeconds: 1,
  running: { samples, loss: null, accuracy: null, precision: null, recall: null, f1: null },
})

describe('progressWriter', () => {
  test('writes one at a time, the latest, and skips what it has no time for', async () => {
    const written: number[] = []
    let writing = 0
    const writer = progressWriter(
      async ({ samples }) => {
        expect(++writing).toBe(1)
        await delay(20)
        written.push(samples)
        writing--
      },
      (error) => {
        throw error
      },
    )
    for (const samples of [1, 2, 3]) writer.report(progress(samples))
    // Until both are written, however long a busy machine takes.
    while (written.length < 2) await delay(1)
    writer.report(progress(4))
    writer.report(progress(5))
    await writer.close()
    expect(written).toEqual([1, 3, 4])
    writer.report(progress(6))
    await delay(30)
    expect(written).toEqual([1, 3, 4])
  })

  test('goes on after a failure', async () => {
    const failures: unknown[] = []
    let written = 0
    const writer = progressWriter(
      ({ samples }) => {
        if (samples === 1) return Promise.reject(new Error('no database'))
        written++
        return Promise.resolve()
      },
      (error) => failures.push(error),
    )
    writer.report(progress(1))
    await delay(1)
    writer.report(progress(2))
    await delay(1)
    await writer.close()
    expect({ failures, written }).toEqual({ failures: [new Error('no database')], written: 1 })
  })
})
