import { setTimeout as delay } from 'node:timers/promises'

import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { pino } from 'pino'

import { RunFeed, type ReadEvents } from '../../src/store/events/run-feed.ts'

const log = pino({ level: 'silent' })
const event = (seq: number) => ({ runId: 'r', seq, kind: 'LOG' as const, payload: null, createdAt: new Date(0) })

/** A table of events that grows. */
function table(size = 0) {
  const state = { size, reads: 0, fails: 0 }
  const read: ReadEvents = async (_runId, after, limit) => {
    state.reads++
    // What is there when the statement begins is what it sees.
    const { size } = state
    await delay(1)
    if (state.fails-- > 0) throw new Error('the connection was lost')
    return Array.from({ length: Math.max(0, Math.min(limit, size - after)) }, (_, i) => event(after + 1 + i))
  }
  return { state, read }
}

/** All numbers behind `from` up to `last`, as a subscriber gets them. */
async function follow(feed: RunFeed, from: number, last: number, pause = 0): Promise<number[]> {
  const seen: number[] = []
  while ((seen.at(-1) ?? from) < last) {
    for (const { seq } of await feed.after(seen.at(-1) ?? from, undefined)) seen.push(seq)
    if (pause > 0) await delay(pause)
  }
  return seen
}
const numbers = (from: number, last: number) => Array.from({ length: last - from }, (_, i) => from + 1 + i)

describe('the feed of a run', () => {
  test('does not forget a notification that came before it began', async () => {
    const { state, read } = table(3)
    const feed = new RunFeed('r', read, log)
    // The snapshot was read with number 3; event 4 was committed while its answer was on the way.
    state.size = 4
    feed.notify()
    const started = performance.now()
    feed.begin(3)
    expect(await follow(feed, 3, 4)).toEqual([4])
    // Not by asking the table once in a while.
    expect(performance.now() - started).toBeLessThan(2_000)
    feed.close()
  })

  test('does not forget a notification that comes while it reads', async () => {
    const { state, read } = table()
    const feed = new RunFeed('r', read, log)
    feed.begin(0)
    const started = performance.now()
    const following = follow(feed, 0, 40)
    for (state.size = 1; state.size < 40; state.size++) {
      feed.notify()
      if (state.size % 7 === 0) await delay(1)
    }
    feed.notify()
    expect(await following).toEqual(numbers(0, 40))
    expect(performance.now() - started).toBeLessThan(2_000)
    feed.close()
  })

  test('reads once for all who follow, and goes on after an error', async () => {
    const { state, read } = table()
    const feed = new RunFeed('r', read, log)
    feed.begin(0)
    const following = Array.from({ length: 50 }, () => follow(feed, 0, 5))
    state.fails = 2
    state.size = 5
    feed.notify()
    for (const seen of await Promise.all(following)) expect(seen).toEqual(numbers(0, 5))
    expect(state.reads).toBeLessThan(6)
    feed.close()
  })

  test('gives everything, in order, to those who come from long ago, who are slow, and who join late', async () => {
    const subscriber = fc.record({ from: fc.nat(3_000), pause: fc.integer({ min: 0, max: 3 }) })
    await fc.assert(
      fc.asyncProperty(
        fc.nat(2_500),
        fc.array(subscriber, { minLength: 1, maxLength: 8 }),
        async (begin, subscribers) => {
          const { state, read } = table(begin)
          const feed = new RunFeed('r', read, log)
          feed.begin(begin)
          const following = subscribers.map(({ from, pause }) => follow(feed, from, 3_001, pause))
          for (; state.size < 3_001; state.size = Math.min(3_001, state.size + 400)) {
            feed.notify()
            await delay(1)
          }
          feed.notify()
          for (const [i, { from }] of subscribers.entries()) expect(await following[i]).toEqual(numbers(from, 3_001))
          feed.close()
        },
      ),
      { numRuns: 30 },
    )
  })

  test('lets all go when it is closed, and one when its signal is aborted', async () => {
    const { read } = table()
    const feed = new RunFeed('r', read, log)
    feed.begin(0)
    const abort = new AbortController()
    const aborted = feed.after(0, abort.signal)
    const waiting = feed.after(0, undefined)
    abort.abort()
    expect(await aborted).toEqual([])
    feed.close()
    expect(await waiting).toEqual([])
  })
})
