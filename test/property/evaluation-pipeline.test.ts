import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { pipeline } from '../../src/evaluation/pipeline.ts'

const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await Promise.resolve()
}

test('whatever the stages take, each batch is consumed once and in order, or the first failure comes out', async () => {
  const delays = fc.array(fc.tuple(fc.nat({ max: 20 }), fc.nat({ max: 20 })), { maxLength: 30 })
  const failure = fc.option(fc.tuple(fc.nat({ max: 40 }), fc.constantFrom('decode', 'execute', 'consume')), {
    nil: null,
  })
  await fc.assert(
    fc.asyncProperty(delays, failure, fc.integer({ min: 1, max: 4 }), async (times, fails, lanes) => {
      const failAt = (stage: string, index: number) => {
        if (fails?.[0] === index && fails[1] === stage) throw new Error(`${stage} ${index}`)
      }
      const consumed: number[] = []
      let underWay = 0
      // A lane keeps the order of what it is given.
      const engines = Array.from({ length: lanes }, () => Promise.resolve())
      const result = await pipeline({
        count: times.length,
        lanes,
        signal: new AbortController().signal,
        async decode(index) {
          underWay++
          await turns(times[index]![0])
          underWay--
          failAt('decode', index)
          return index
        },
        execute(index) {
          const run = engines[index % lanes]!.then(async () => {
            underWay++
            await turns(times[index]![1])
            underWay--
            failAt('execute', index)
            return index
          })
          engines[index % lanes] = run.then(
            () => undefined,
            () => undefined,
          )
          return run
        },
        consume(index) {
          failAt('consume', index)
          consumed.push(index)
        },
      }).then(
        () => 'done',
        (error: unknown) => (error as Error).message,
      )
      expect(underWay).toBe(0)
      expect(consumed).toEqual(consumed.map((_, i) => i))
      const failed = fails !== null && fails[0] < times.length
      expect(result).toBe(failed ? `${fails[1]} ${fails[0]}` : 'done')
      if (!failed) expect(consumed).toHaveLength(times.length)
    }),
  )
})
