import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { createPredictor, type Predictor } from '../../src/usecase/index.ts'
import { expectedLogits } from '../evaluation/fixture-case.ts'
import { checkpoint, dataset, digitsModel } from './usecase/fixture-models.ts'
import { openTestPlatform, type TestPlatform } from './usecase/test-platform.ts'
import { startChildWorker } from './worker/child-worker.ts'

/** Asks until it is so. */
async function until(question: () => Promise<boolean>): Promise<void> {
  while (!(await question())) await delay(20)
}

// Workers in processes of their own, and what an API process asks them with.
describe('predictions and the lives of workers', () => {
  let test_: TestPlatform
  let predictor: Predictor
  let datasetId: string
  let expected: Float32Array
  beforeAll(async () => {
    test_ = await openTestPlatform()
    predictor = createPredictor(test_.platform)
    datasetId = await dataset(test_.platform, 'digits_test.npz')
    expected = await expectedLogits('digits_cnn')
  })
  afterAll(() => test_[Symbol.asyncDispose]())

  const newCheckpoint = async () => checkpoint(test_.platform, await digitsModel(test_.platform), 'digits_cnn.pth')
  const rows = () => test_.platform.store.prisma.prediction.findMany()

  async function expectRow(row: number, prediction: Promise<Awaited<ReturnType<Predictor['predict']>>>) {
    const { samples } = await prediction
    samples[0]!.logits.forEach((logit, k) => expect(Math.abs(logit - expected[row * 10 + k]!)).toBeLessThan(1e-4))
  }

  /** Keeps workers from reading weights while it is not disposed: what they have taken, they have in hand. */
  async function holdWeights(): Promise<AsyncDisposable> {
    const client = new pg.Client({ connectionString: test_.databaseUrl })
    await client.connect()
    await client.query('begin; lock table "StorageChunk" in access exclusive mode')
    let held = true
    return {
      [Symbol.asyncDispose]: async () => {
        if (held) await client.end()
        held = false
      },
    }
  }

  test('a worker that is killed with a prediction in hand: another answers', async () => {
    const checkpointId = await newCheckpoint()
    await using one = await startChildWorker(test_)
    // Before the weights are held: the samples are in the same table.
    const inputs = await samplesOf(7)
    await using weights = await holdWeights()
    const answer = predictor.predict({ checkpointId, inputs })
    answer.catch(() => undefined)
    await until(async () => (await rows())[0]?.workerId != null)
    await using other = await startChildWorker(test_)
    await one.kill()
    const killedAt = Date.now()
    await weights[Symbol.asyncDispose]()
    await expectRow(7, answer)
    expect(Date.now() - killedAt).toBeLessThan(10_000)
    expect(other.stderr()).not.toMatch(/"level":50/)
    expect(await rows()).toEqual([])
  }, 90_000)

  test('no worker at all: a clear error in time, and nothing is left behind', async () => {
    const checkpointId = await newCheckpoint()
    const { platform } = test_
    const hasty = createPredictor({
      ...platform,
      limits: { ...platform.limits, prediction: { ...platform.limits.prediction, timeoutMs: 1500 } },
    })
    await expect(hasty.predict({ checkpointId, datasetId, indices: [0] })).rejects.toMatchObject({
      code: 'PREDICTION_TIMEOUT',
      message: expect.stringMatching(/^no answer within 1\.5 s: no worker is alive: start one/),
    })
    expect(await rows()).toEqual([])
  }, 60_000)

  test('who asks more at once than is waited for is refused', async () => {
    const checkpointId = await newCheckpoint()
    const { platform } = test_
    const limits = { ...platform.limits, prediction: { ...platform.limits.prediction, timeoutMs: 1000, atOnce: 2 } }
    const small = createPredictor({ ...platform, limits })
    const all = await Promise.allSettled(
      Array.from({ length: 3 }, () => small.predict({ checkpointId, datasetId, indices: [0] })),
    )
    expect(all.map((one) => (one.status === 'rejected' ? (one.reason as { code: string }).code : 'answered'))).toEqual([
      'PREDICTION_TIMEOUT',
      'PREDICTION_TIMEOUT',
      'LIMIT_EXCEEDED',
    ])
  }, 60_000)

  test('who asked and is gone leaves a row that nobody answers, and that is swept', async () => {
    const { store } = test_.platform
    const gone = { request: {}, inputs: new Uint8Array(4), device: 'auto', affinity: 'x'.repeat(64) }
    await store.prisma.prediction.create({
      data: { id: crypto.randomUUID(), ...gone, expiresAt: new Date(Date.now() - 60_000) },
    })
    await using worker = await startChildWorker(test_)
    await delay(1500)
    expect(worker.stderr()).toBe('')
    await store.predictions.sweep()
    expect(await rows()).toEqual([])
  }, 60_000)

  test('a worker that stops in good order hands on what it cannot finish', async () => {
    const checkpointId = await newCheckpoint()
    const inputs = await samplesOf(11)
    await using one = await startChildWorker(test_)
    await using weights = await holdWeights()
    const answer = predictor.predict({ checkpointId, inputs })
    answer.catch(() => undefined)
    await until(async () => (await rows())[0]?.workerId != null)
    await using other = await startChildWorker(test_)
    const ended = one.kill('SIGTERM')
    await delay(2500)
    await weights[Symbol.asyncDispose]()
    await expectRow(11, answer)
    expect((await ended).code).toBe(0)
    expect(other.stderr()).not.toMatch(/"level":50/)
  }, 90_000)

  test('two workers: the one that has the weights loaded answers', async () => {
    const checkpointId = await newCheckpoint()
    await using one = await startChildWorker(test_)
    await using other = await startChildWorker(test_)
    expect(one.pid).not.toBe(other.pid)
    await predictor.predict({ checkpointId, datasetId, indices: [0] })
    let warm = 0
    for (let i = 0; i < 10; i++) if ((await predictor.predict({ checkpointId, datasetId, indices: [i] })).warm) warm++
    // The other one takes a question only when the first has not for some 20 ms.
    expect(warm).toBeGreaterThanOrEqual(8)
  }, 60_000)

  /** A sample of the dataset as nested arrays. */
  async function samplesOf(row: number): Promise<unknown> {
    const { store } = test_.platform
    const column = await store.prisma.datasetColumn.findFirstOrThrow({ where: { datasetId, role: 'FEATURE' } })
    const bytes = new Uint8Array(256)
    let at = 0
    for await (const piece of store.bytes.read(column.storageHash, { offset: row * 256, length: 256 })) {
      bytes.set(piece, at)
      at += piece.length
    }
    const values = [...new Float32Array(bytes.buffer)]
    return [[Array.from({ length: 8 }, (_, i) => values.slice(i * 8, i * 8 + 8))]]
  }
})
