import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { createPredictor, type PredictionLimits, type Predictor } from '../../src/usecase/index.ts'
import { expectedLogits } from '../evaluation/fixture-case.ts'
import { checkpoint, dataset, digitsModel } from './usecase/fixture-models.ts'
import { openTestPlatform, type TestPlatform } from './usecase/test-platform.ts'
import { startChildWorker, type ChildWorker } from './worker/child-worker.ts'

/** Asks until it is so. */
async function until(question: () => Promise<boolean>): Promise<void> {
  while (!(await question())) await delay(20)
}

// Workers in processes of their own, and what an API process asks them with.
describe('predictions and the lives of workers', () => {
  let test_: TestPlatform
  let predictor: Predictor
  let datasetId: string
  beforeAll(async () => {
    test_ = await openTestPlatform()
    // A machine that does much else at the same time needs its time.
    predictor = impatient({ timeoutMs: 120_000 })
    datasetId = await dataset(test_.platform, 'digits_test.npz')
  })
  afterAll(async () => {
    await test_[Symbol.asyncDispose]()
  })

  function impatient(limits: Partial<PredictionLimits>): Predictor {
    const { platform } = test_
    const prediction = { ...platform.limits.prediction, ...limits }
    return createPredictor({ ...platform, limits: { ...platform.limits, prediction } })
  }

  const newCheckpoint = async (file = 'digits_cnn_bf16.pth') =>
    checkpoint(test_.platform, await digitsModel(test_.platform), file)
  const rows = () => test_.platform.store.prisma.prediction.findMany()

  async function expectRow(name: string, row: number, prediction: ReturnType<Predictor['predict']>) {
    const { samples } = await prediction
    const expected = await expectedLogits(name)
    samples[0]!.logits.forEach((logit, k) => expect(Math.abs(logit - expected[row * 10 + k]!)).toBeLessThan(1e-4))
  }

  /** Keeps workers from reading weights while it is not disposed: what they have taken, they have in hand. Nothing else may wait for it. */
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

  test('no worker at all: a clear error in time, and nothing is left behind', async () => {
    const checkpointId = await newCheckpoint()
    const hasty = impatient({ timeoutMs: 1500 })
    await expect(hasty.predict({ checkpointId, datasetId, indices: [0] })).rejects.toMatchObject({
      code: 'PREDICTION_TIMEOUT',
      message: expect.stringMatching(/^no answer within 1\.5 s: no worker is alive: start one/),
    })
    expect(await rows()).toEqual([])
  }, 60_000)

  test('who asks more at once than is waited for is refused', async () => {
    const checkpointId = await newCheckpoint()
    const small = impatient({ timeoutMs: 1000, atOnce: 2 })
    const all = await Promise.allSettled(
      Array.from({ length: 3 }, () => small.predict({ checkpointId, datasetId, indices: [0] })),
    )
    expect(all.map((one) => (one.status === 'rejected' ? (one.reason as { code: string }).code : 'answered'))).toEqual([
      'PREDICTION_TIMEOUT',
      'PREDICTION_TIMEOUT',
      'LIMIT_EXCEEDED',
    ])
  }, 60_000)

  describe('three workers', () => {
    let workers: ChildWorker[]
    /** By the name of their weights; no worker has read these, not even for statistics. */
    const unread = new Map<string, string>()
    beforeAll(async () => {
      for (const name of ['digits_cnn', 'digits_cnn_epoch1']) unread.set(name, await newCheckpoint(`${name}.pth`))
      await test_.platform.store.prisma.inspection.deleteMany()
      workers = await Promise.all([1, 2, 3].map(() => startChildWorker(test_)))
    }, 300_000)
    afterAll(async () => {
      for (const worker of workers) await worker[Symbol.asyncDispose]()
    })

    /** Asks while no worker can read the weights, waits until one has the question, and does something to that one. */
    async function whileInHand(
      name: string,
      row: number,
      act: (victim: ChildWorker) => Promise<unknown>,
    ): Promise<ChildWorker> {
      const checkpointId = unread.get(name)!
      await until(
        async () => (await test_.platform.store.prisma.inspection.count({ where: { status: 'PENDING' } })) === 0,
      )
      const inputs = await sampleOf(row)
      await using weights = await holdWeights()
      const answer = predictor.predict({ checkpointId, inputs })
      answer.catch(() => undefined)
      await until(async () => (await rows())[0]?.workerId != null)
      const [question] = await rows()
      const { pid } = await test_.platform.store.prisma.worker.findUniqueOrThrow({ where: { id: question!.workerId! } })
      const victim = workers.find((worker) => worker.pid === pid)!
      await act(victim)
      await weights[Symbol.asyncDispose]()
      await expectRow(name, row, answer)
      expect(await rows()).toEqual([])
      return victim
    }

    test('the one that has the weights loaded answers', async () => {
      const checkpointId = await newCheckpoint()
      await predictor.predict({ checkpointId, datasetId, indices: [0] })
      let warm = 0
      for (let i = 0; i < 12; i++) if ((await predictor.predict({ checkpointId, datasetId, indices: [i] })).warm) warm++
      // Another one takes a question when the first has not for some 20 ms, and has the weights from then on.
      expect(warm).toBeGreaterThanOrEqual(10)
    }, 120_000)

    test('one that stops in good order hands on what it cannot finish', async () => {
      let ended: ReturnType<ChildWorker['kill']> | undefined
      await whileInHand('digits_cnn', 11, async (victim) => {
        ended = victim.kill('SIGTERM')
        // Its time to finish is over when the question is another's.
        const { workerId } = (await rows())[0]!
        await until(async () => (await rows())[0]?.workerId !== workerId)
      })
      expect((await ended!).code).toBe(0)
    }, 180_000)

    test('one that is killed with a prediction in hand: another answers', async () => {
      const victim = await whileInHand('digits_cnn_epoch1', 7, (killed) => killed.kill())
      for (const worker of workers) if (worker !== victim) expect(worker.stderr()).not.toMatch(/"level":50/)
    }, 180_000)

    test('a question that nobody waits for any more is not answered, and is swept', async () => {
      const { store } = test_.platform
      const gone = { request: {}, inputs: new Uint8Array(4), place: 'auto/auto/float32', affinity: 'x'.repeat(64) }
      const id = crypto.randomUUID()
      await store.prisma.prediction.create({ data: { id, ...gone, expiresAt: new Date(Date.now() - 60_000) } })
      await delay(2_500)
      expect(await rows()).toMatchObject([{ id, attempt: 0, answer: null }])
      expect(await store.predictions.sweep()).toBe(1)
    })
  })

  /** A sample of the dataset as nested arrays. */
  async function sampleOf(row: number): Promise<unknown> {
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
