import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startRun, watchRuns, type Platform } from '../../src/usecase/index.ts'
import { openTestPlatform, type TestPlatform } from './usecase/test-platform.ts'
import { startChildWorker } from './worker/child-worker.ts'
import { event, LONG, longRun, startLongRun } from './worker/long-run.ts'
import { ended } from './worker/test-worker.ts'

/** Asks until it is so. */
async function until(question: () => Promise<boolean>): Promise<void> {
  while (!(await question())) await delay(50)
}

describe('a worker that is killed in the middle of a run', () => {
  let test_: TestPlatform
  let platform: Platform
  let input: Awaited<ReturnType<typeof longRun>>
  /** What the API's process does: it watches. */
  let watch: AsyncDisposable
  beforeAll(async () => {
    test_ = await openTestPlatform()
    platform = test_.platform
    input = await longRun(platform)
    watch = watchRuns(platform)
  })
  afterAll(async () => {
    await watch[Symbol.asyncDispose]()
    await test_[Symbol.asyncDispose]()
  })

  test('is noticed, and another takes over; each sample is counted once', async () => {
    await using one = await startChildWorker(test_)
    await using other = await startChildWorker(test_)
    const runId = await startLongRun(platform, input)
    const { workerId } = await platform.store.prisma.shard.findFirstOrThrow({ where: { runId } })
    const { pid } = await platform.store.prisma.worker.findUniqueOrThrow({ where: { id: workerId! } })
    const [victim, heir] = pid === one.pid ? [one, other] : [other, one]
    const killedAt = Date.now()
    await victim.kill()
    await until(async () => (await platform.store.prisma.shard.findFirstOrThrow({ where: { runId } })).attempt === 2)
    expect(Date.now() - killedAt).toBeLessThan(10_000)
    const run = await ended(platform, runId)
    expect(run).toMatchObject({ status: 'SUCCEEDED', samples: BigInt(LONG) })
    const log = await platform.store.prisma.runEvent.findMany({ where: { runId, kind: 'LOG' } })
    expect(JSON.stringify(log.map(({ payload }) => payload))).toMatch(/are evaluated again: attempt 2/)
    expect((run.confusion as number[][]).flat().reduce((sum, count) => sum + count)).toBe(LONG)

    // The numbers of a run that nobody disturbed.
    const quiet = await ended(platform, (await startRun(platform, { ...input, batchSize: 512 })).id)
    expect(quiet.confusion).toEqual(run.confusion)
    expect(heir.stderr()).not.toMatch(/"level":50/)

    // What the dead worker had in its cache is cleared by the next one that starts.
    const leases = async () => await readdir(join(test_.folder, 'cache', 'leases'))
    expect(await leases()).toHaveLength(2)
    await using next = await startChildWorker(test_)
    expect((await leases()).filter((name) => name.includes(`.${next.pid}.`))).toHaveLength(1)
    expect((await leases()).filter((name) => name.includes(`.${victim.pid}.`))).toEqual([])
  }, 90_000)

  test('three times fails the run: WORKER_LOST, with its progress and log', async () => {
    const { id } = await startRun(platform, { ...input, batchSize: 1 })
    for (let attempt = 1; attempt <= 3; attempt++) {
      const worker = await startChildWorker(test_)
      // Some samples are counted.
      await until(async () => {
        const shard = await platform.store.prisma.shard.findFirstOrThrow({ where: { runId: id } })
        return shard.attempt === attempt && shard.samples > 0n
      })
      await worker.kill()
      // While nobody has it, it does not claim to be running.
      if (attempt < 3) await event(platform, id, ({ status }) => status === 'QUEUED')
    }
    const killedAt = Date.now()
    const run = await ended(platform, id)
    expect(Date.now() - killedAt).toBeLessThan(30_000)
    expect(run).toMatchObject({
      status: 'FAILED',
      errorCode: 'WORKER_LOST',
      errorMessage: expect.stringMatching(/^samples 0 to 8000 were given up after 3 attempts/),
      finishedAt: expect.any(Date),
    })
    expect(run.samples).toBeGreaterThan(0n)
    expect(run.progress).toMatchObject({ total: LONG })
  }, 90_000)
})
