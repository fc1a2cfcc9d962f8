import { describe, expect, test } from '@jest/globals'
import { setImmediate as turn } from 'node:timers/promises'
import { pipeline, type Stages } from '../../src/evaluation/pipeline.ts'

const never = new AbortController().signal

/** Stages that count what is under way. */
function counted(count: number, stages: Partial<Stages<number, number>> = {}) {
  const seen = { decoding: 0, executing: 0, mostDecoded: 0, mostExecuting: 0, consumed: [] as number[] }
  const all: Stages<number, number> = {
    count,
    lanes: 1,
    signal: never,
    async decode(index) {
      seen.mostDecoded = Math.max(seen.mostDecoded, ++seen.decoding)
      await turn()
      return index
    },
    async execute(batch) {
      seen.decoding--
      seen.mostExecuting = Math.max(seen.mostExecuting, ++seen.executing)
      await turn()
      seen.executing--
      return batch
    },
    consume: (batch) => void seen.consumed.push(batch),
    ...stages,
  }
  return { seen, all }
}

describe('the pipeline', () => {
  test.each([0, 1, 2, 3, 4, 5, 50])('consumes each of %p batches once and in order', async (count) => {
    const { seen, all } = counted(count)
    await pipeline(all)
    expect(seen.consumed).toEqual(Array.from({ length: count }, (_, i) => i))
  })

  test('keeps two batches at the engine and a bounded number ahead of it', async () => {
    const { seen, all } = counted(100)
    await pipeline(all)
    expect(seen.mostExecuting).toBe(2)
    expect(seen.mostDecoded).toBeLessThanOrEqual(3)
  })

  test('keeps two batches at each lane, and counts in order whichever lane is done first', async () => {
    let executing = 0
    let most = 0
    const { seen, all } = counted(100, {
      lanes: 3,
      async execute(batch) {
        most = Math.max(most, ++executing)
        for (let i = 0; i < (batch % 5) * 3; i++) await turn()
        executing--
        return batch
      },
    })
    await pipeline(all)
    // More than one for each lane, and never more than two.
    expect(most).toBeGreaterThan(3)
    expect(most).toBeLessThanOrEqual(6)
    expect(seen.consumed).toEqual(Array.from({ length: 100 }, (_, i) => i))
  })

  test('hands the next batch to the engine before it counts the last one', async () => {
    const order: string[] = []
    await pipeline({
      count: 4,
      lanes: 1,
      signal: never,
      decode: (index) => Promise.resolve(index),
      async execute(batch) {
        order.push(`execute ${batch}`)
        await turn()
        return batch
      },
      consume: (batch) => void order.push(`consume ${batch}`),
    })
    expect(order.indexOf('execute 2')).toBeLessThan(order.indexOf('consume 0'))
    expect(order.indexOf('execute 3')).toBeLessThan(order.indexOf('consume 1'))
  })

  test.each(['decode', 'execute', 'consume'] as const)(
    'fails with the failure of %s, when nothing is under way',
    async (stage) => {
      const { seen, all } = counted(10)
      const failing = { ...all, [stage]: (batch: number) => (batch === 3 ? fail(stage) : (all[stage](batch) as never)) }
      await expect(pipeline(failing)).rejects.toThrow('broken')
      expect(seen.executing).toBe(0)
      expect(seen.consumed).toEqual([0, 1, 2].slice(0, seen.consumed.length))
    },
  )

  test('rejects at once when it is aborted, even while the engine hangs', async () => {
    const controller = new AbortController()
    const { seen, all } = counted(10, { signal: controller.signal, execute: () => new Promise(() => undefined) })
    const done = pipeline(all)
    await turn()
    controller.abort(new Error('cancelled by the test'))
    await expect(done).rejects.toThrow('cancelled by the test')
    expect(seen.consumed).toEqual([])
  })

  test('starts nothing when it is aborted already', async () => {
    const { seen, all } = counted(10, { signal: AbortSignal.abort(new Error('too late')) })
    await expect(pipeline(all)).rejects.toThrow('too late')
    expect(seen.mostDecoded).toBe(0)
  })

  test('stops handing over after an abort', async () => {
    const controller = new AbortController()
    let executed = 0
    const { all } = counted(1000, { signal: controller.signal })
    const done = pipeline({
      ...all,
      execute(batch) {
        if (++executed === 5) controller.abort(new Error('enough'))
        return all.execute(batch)
      },
    })
    await expect(done).rejects.toThrow('enough')
    for (let i = 0; i < 20; i++) await turn()
    expect(executed).toBeLessThanOrEqual(6)
  })
})

function fail(stage: string): never | Promise<never> {
  const error = new Error('broken')
  if (stage === 'consume') throw error
  return Promise.reject(error)
}
