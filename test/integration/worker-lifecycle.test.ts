import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { chmod, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { RunEventRow } from '../../src/store/index.ts'
import { cancelRun, createModel, importCheckpoint, startRun, type Platform } from '../../src/usecase/index.ts'
import type { WorkerOptions } from '../../src/worker/index.ts'
import { cancerModel, checkpoint, dataset, digitsModel } from './usecase/fixture-models.ts'
import { safetensorsFile } from './usecase/safetensors-file.ts'
import { openTestPlatform, upload, type TestPlatform } from './usecase/test-platform.ts'
import { event, LONG, longRun, startLongRun } from './worker/long-run.ts'
import { ended, startTestWorker, type TestWorker } from './worker/test-worker.ts'

let test_: TestPlatform
let platform: Platform
let digits: string
let digitsCheckpoint: string
let long: Awaited<ReturnType<typeof longRun>>
const workers: TestWorker[] = []
beforeAll(async () => {
  test_ = await openTestPlatform()
  platform = test_.platform
  digits = await dataset(platform, 'digits_test.npz')
  digitsCheckpoint = await checkpoint(platform, await digitsModel(platform), 'digits_cnn.pth')
  long = await longRun(platform)
})
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker[Symbol.asyncDispose]()
})
afterAll(async () => {
  await test_[Symbol.asyncDispose]()
})

async function startWorker(options: Partial<WorkerOptions> = {}): Promise<TestWorker> {
  const worker = await startTestWorker(platform, test_.folder, options)
  workers.push(worker)
  return worker
}

const eventsOf = async (runId: string): Promise<RunEventRow[]> =>
  await platform.store.prisma.runEvent.findMany({ where: { runId }, orderBy: { seq: 'asc' } })

const logOf = async (runId: string): Promise<string[]> =>
  (await eventsOf(runId))
    .filter(({ kind }) => kind === 'LOG')
    .map(({ payload }) => (payload as { level: string; message: string }).message)

describe('a run', () => {
  test('tells what happens to it: numbered, in order, at most five times a second', async () => {
    await startWorker()
    const { id } = await startRun(platform, { ...long, batchSize: 8 })
    const run = await ended(platform, id)
    expect(run).toMatchObject({ status: 'SUCCEEDED', usedDevice: 'cpu', engineVersion: expect.stringMatching(/^\d/) })
    expect(run.finishedAt!.getTime()).toBeGreaterThan(run.startedAt!.getTime())
    const events = await eventsOf(id)
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1))
    expect(run.seq).toBe(events.length)
    const statuses = events.filter(({ kind }) => kind === 'STATUS')
    expect(statuses.map(({ payload }) => payload)).toEqual(
      ['QUEUED', 'RUNNING', 'SUCCEEDED'].map((status) => ({ status })),
    )
    expect(events.at(-1)).toBe(statuses.at(-1))

    const progress = events.filter(({ kind }) => kind === 'PROGRESS')
    expect(progress.length).toBeGreaterThan(2)
    const counts = progress.map(({ payload }) => (payload as { samples: number }).samples)
    expect(counts).toEqual([...counts].sort((a, b) => a - b))
    expect(counts.at(-1)).toBe(LONG)
    // The last one comes with the end, and is the only one that need not wait.
    const times = progress.slice(0, -1).map(({ createdAt }) => createdAt.getTime())
    expect((times.length - 1) / ((times.at(-1)! - times[0]!) / 1000)).toBeLessThanOrEqual(5.3)
    for (const { payload } of progress)
      expect(payload).toEqual({
        samples: expect.any(Number),
        total: LONG,
        samplesPerSecond: expect.any(Number),
        etaSeconds: expect.any(Number),
        loss: expect.any(Number),
        accuracy: expect.any(Number),
        precision: expect.any(Number),
        recall: expect.any(Number),
        f1: expect.any(Number),
      })
    expect(run.progress).toEqual(progress.at(-1)!.payload)
    expect(await logOf(id)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^worker .* evaluates on cpu, .* with onnxruntime .*threads: 1, batch size: 8/),
        expect.stringMatching(/tensors of .* were loaded in \d+ ms/),
      ]),
    )
  })

  test('of the same weights starts with the session that is there', async () => {
    await startWorker()
    const [first, second] = [
      await startRun(platform, { checkpointId: digitsCheckpoint, datasetId: digits }),
      await startRun(platform, { checkpointId: digitsCheckpoint, datasetId: digits, batchSize: 3 }),
    ]
    const one = await ended(platform, first.id)
    const other = await ended(platform, second.id)
    expect(other.confusion).toEqual(one.confusion)
    expect((await logOf(second.id)).join()).toMatch(/were loaded already/)
    // Other weights of the same architecture have a session of their own.
    const modelId = (await platform.store.prisma.checkpoint.findUniqueOrThrow({ where: { id: digitsCheckpoint } }))
      .modelId
    const epoch1 = await checkpoint(platform, modelId, 'digits_cnn_epoch1.pth')
    const third = await ended(platform, (await startRun(platform, { checkpointId: epoch1, datasetId: digits })).id)
    expect(third.confusion).not.toEqual(one.confusion)
  })

  test('says what is converted, and gives nearly the same answers', async () => {
    await startWorker()
    const bf16 = await checkpoint(platform, await digitsModel(platform), 'digits_cnn_bf16.pth')
    const { id } = await startRun(platform, { checkpointId: bf16, datasetId: digits })
    const run = await ended(platform, id)
    expect(run.status).toBe('SUCCEEDED')
    expect((await logOf(id)).join('\n')).toMatch(/tensors are converted from bfloat16 to float32/)
    expect((run.progress as { accuracy: number }).accuracy).toBeGreaterThan(0.98)
  })

  test('of a whole training checkpoint evaluates its model', async () => {
    await startWorker()
    const training = await checkpoint(platform, await digitsModel(platform), 'digits_cnn_training_checkpoint.pth')
    const run = await ended(platform, (await startRun(platform, { checkpointId: training, datasetId: digits })).id)
    expect((run.progress as { accuracy: number }).accuracy).toBeGreaterThan(0.85)
  })

  test('is shared by workers, shard by shard', async () => {
    const many = { ...platform, limits: { ...platform.limits, shardRows: 50 } }
    await startWorker()
    await startWorker()
    const { id } = await startRun(many, { checkpointId: digitsCheckpoint, datasetId: digits, batchSize: 7 })
    const run = await ended(platform, id)
    expect(run).toMatchObject({ status: 'SUCCEEDED', samples: 450n })
    const whole = await ended(
      platform,
      (await startRun(platform, { checkpointId: digitsCheckpoint, datasetId: digits })).id,
    )
    expect(run.confusion).toEqual(whole.confusion)
    const shards = await platform.store.prisma.shard.findMany({ where: { runId: id } })
    expect(shards).toHaveLength(9)
    expect(new Set(shards.map(({ workerId }) => workerId)).size).toBe(2)
    for (const shard of shards) expect(shard).toMatchObject({ status: 'DONE', samples: 50n, attempt: 1 })
  })
})

describe('cancelRun', () => {
  test('stops a running run within a second; the worker takes the next', async () => {
    await startWorker()
    const runId = await startLongRun(platform, long)
    const next = await startRun(platform, { checkpointId: digitsCheckpoint, datasetId: digits })
    const at = Date.now()
    expect(await cancelRun(platform, { runId })).toMatchObject({ status: 'CANCELLED' })
    await event(platform, next.id, ({ status }) => status === 'RUNNING')
    expect(Date.now() - at).toBeLessThan(1000)
    expect((await ended(platform, next.id)).status).toBe('SUCCEEDED')
    const run = await platform.store.prisma.run.findUniqueOrThrow({ where: { id: runId } })
    expect(run).toMatchObject({ status: 'CANCELLED', errorCode: null })
    expect(run.samples).toBeGreaterThan(0n)
    expect(run.samples).toBeLessThan(BigInt(LONG))
    expect((await eventsOf(runId)).at(-1)!.payload).toEqual({ status: 'CANCELLED' })
    expect(await platform.store.prisma.metric.count({ where: { runId } })).toBe(0)
  })

  test('at any moment leaves a run that has ended once', async () => {
    await startWorker()
    for (let i = 0; i < 20; i++) {
      const { id } = await startRun(platform, { checkpointId: digitsCheckpoint, datasetId: digits, batchSize: 16 })
      await delay(i * 15)
      const { status } = await cancelRun(platform, { runId: id })
      const events = await eventsOf(id)
      const run = await ended(platform, id)
      expect(run.status).toBe(status)
      const finals = events.filter(({ payload }) => /SUCCEEDED|FAILED|CANCELLED/.test(JSON.stringify(payload)))
      expect(finals.map(({ payload }) => payload)).toEqual([{ status }])
      expect(events.at(-1)).toEqual(finals[0])
      expect((await platform.store.prisma.metric.count({ where: { runId: id } })) > 0).toBe(status === 'SUCCEEDED')
      expect(await eventsOf(id)).toEqual(events)
    }
  })
})

describe('a run fails', () => {
  /** A checkpoint for the digits classifier whose last bias is this. */
  async function withBias(bias: number): Promise<string> {
    const layers = {
      layers: [{ type: 'Flatten' }, { type: 'Linear', in_features: 64, out_features: 10 }],
      input: [1, 8, 8],
    }
    const model = await createModel(platform, {
      name: randomBytes(8).toString('hex'),
      task: 'MULTICLASS',
      architecture: { layers },
    })
    const bytes = safetensorsFile({
      '1.weight': { dtype: 'float32', shape: [10, 64], data: new Float32Array(640) },
      '1.bias': { dtype: 'float32', shape: [10], data: new Float32Array(10).fill(bias) },
    })
    const uploadId = await upload(platform, 'm.safetensors', bytes)
    return (await importCheckpoint(platform, { modelId: model.id, uploadId })).id
  }

  test('at once, and once, where it would fail again; code, message and log are kept', async () => {
    await startWorker()
    const { id } = await startRun(platform, { checkpointId: await withBias(NaN), datasetId: digits })
    const run = await ended(platform, id)
    expect(run).toMatchObject({
      status: 'FAILED',
      errorCode: 'LOGITS_NOT_FINITE',
      errorMessage: expect.stringMatching(/NaN for sample 0/),
      startedAt: expect.any(Date),
      finishedAt: expect.any(Date),
    })
    expect(await platform.store.prisma.shard.findFirstOrThrow({ where: { runId: id } })).toMatchObject({ attempt: 1 })
    expect((await logOf(id)).at(-1)).toBe(`LOGITS_NOT_FINITE: ${run.errorMessage!}`)
    // The worker goes on.
    expect(
      (await ended(platform, (await startRun(platform, { checkpointId: await withBias(0), datasetId: digits })).id))
        .status,
    ).toBe('SUCCEEDED')
  })

  test('after three tries where nobody knows why; what was thrown stays in the worker’s log', async () => {
    const columns = Array.from({ length: 30 }, (_, i) => `c${i}`)
    const cancer = await dataset(platform, 'unread.csv', {
      bytes: `${[...columns, 'label'].join(',')}\n${columns.map(() => Math.E).join(',')},1\n`,
      labelColumn: 'label',
    })
    const checkpointId = await checkpoint(platform, await cancerModel(platform), 'cancer_mlp.pth')
    // The table of the bytes is not what we know.
    await platform.store.prisma.$executeRaw`alter table "StorageChunk" rename to "Elsewhere"`
    try {
      await startWorker()
      const { id } = await startRun(platform, { checkpointId, datasetId: cancer })
      const run = await ended(platform, id)
      expect(run).toMatchObject({ status: 'FAILED', errorCode: 'INTERNAL' })
      expect(run.errorMessage).toMatch(/after 3 attempts: internal error [0-9a-f-]{36}: the log of worker .* says more/)
      expect(JSON.stringify(await eventsOf(id))).not.toMatch(/StorageChunk|relation/)
      expect((await logOf(id)).filter((line) => /internal error/.test(line))).toHaveLength(4)
    } finally {
      await platform.store.prisma.$executeRaw`alter table "Elsewhere" rename to "StorageChunk"`
    }
  })

  test('at once where weights or samples are damaged; importing them again repairs the run', async () => {
    const columns = Array.from({ length: 30 }, (_, i) => `c${i}`)
    const bytes = `${[...columns, 'label'].join(',')}\n${columns.map(() => Math.PI).join(',')},1\n`
    const cancer = await dataset(platform, 'broken.csv', { bytes, labelColumn: 'label' })
    const modelId = await cancerModel(platform)
    const checkpointId = await checkpoint(platform, modelId, 'cancer_mlp.pth')
    const { storageHash } = await platform.store.prisma.datasetColumn.findFirstOrThrow({
      where: { datasetId: cancer, role: 'FEATURE' },
    })
    const { contentId } = await platform.store.prisma.storage.findUniqueOrThrow({ where: { sha256: storageHash } })
    await platform.store.prisma.storageChunk.updateMany({ where: { contentId }, data: { bytes: new Uint8Array(120) } })
    await startWorker()
    const { id } = await startRun(platform, { checkpointId, datasetId: cancer })
    expect(await ended(platform, id)).toMatchObject({
      status: 'FAILED',
      errorCode: 'STORAGE_DAMAGED',
      errorMessage: expect.stringContaining(storageHash),
    })
    expect(await platform.store.prisma.shard.findFirstOrThrow({ where: { runId: id } })).toMatchObject({ attempt: 1 })

    // The worker lives, and takes the next run; when the damage was found, the bytes can come in again.
    expect((await platform.store.bytes.verify(storageHash)).status).toBe('DAMAGED')
    await dataset(platform, 'again.csv', { bytes, labelColumn: 'label' })
    const next = await startRun(platform, { checkpointId, datasetId: cancer })
    expect(await ended(platform, next.id)).toMatchObject({ status: 'SUCCEEDED' })
  })

  test('when the engine’s thread dies, and the worker ends so that it is started again', async () => {
    const worker = await startWorker()
    const runId = await startLongRun(platform, long)
    await worker.engine[Symbol.asyncDispose]()
    expect(await ended(platform, runId)).toMatchObject({ status: 'FAILED', errorCode: 'ENGINE_FAILED' })
    // The next run is not its victim: it waits for a worker that works.
    const next = await startRun(platform, { checkpointId: digitsCheckpoint, datasetId: digits })
    await expect(worker.ended).rejects.toMatchObject({ code: 'ENGINE_FAILED' })
    await startWorker()
    expect((await ended(platform, next.id)).status).toBe('SUCCEEDED')
    expect(await platform.store.prisma.shard.findFirstOrThrow({ where: { runId: next.id } })).toMatchObject({
      attempt: 1,
    })
  })
})

describe('a worker', () => {
  test('that is told to stop hands its shard on', async () => {
    const first = await startWorker({ finishMs: 100 })
    const runId = await startLongRun(platform, long)
    const at = Date.now()
    first.stop()
    await first.ended
    expect(Date.now() - at).toBeLessThan(5000)
    expect(await platform.store.prisma.worker.count()).toBe(0)
    expect(await platform.store.prisma.run.findUniqueOrThrow({ where: { id: runId } })).toMatchObject({
      status: 'QUEUED',
    })
    await startWorker()
    expect(await ended(platform, runId)).toMatchObject({ status: 'SUCCEEDED', samples: BigInt(LONG) })
    expect((await logOf(runId)).join('\n')).toMatch(/stops; another one goes on with the run[^]*attempt 2/)
  })

  test('that is told to stop finishes what is nearly done', async () => {
    // Intervals are part of it, and take a second or more of a busy machine.
    const worker = await startWorker({ finishMs: 20_000 })
    const { id } = await startRun(platform, { checkpointId: digitsCheckpoint, datasetId: digits, batchSize: 8 })
    await event(platform, id, ({ status }) => status === 'RUNNING')
    worker.stop()
    await worker.ended
    expect(await platform.store.prisma.run.findUniqueOrThrow({ where: { id } })).toMatchObject({ status: 'SUCCEEDED' })
  })

  test('notices that a cached file is damaged', async () => {
    const cacheDir = join(test_.folder, 'spoiled')
    await startWorker({ cacheDir, sessionLimits: { sessions: 0, bytes: 0 } })
    const evaluate = async () =>
      await ended(platform, (await startRun(platform, { checkpointId: digitsCheckpoint, datasetId: digits })).id)
    const good = await evaluate()
    const files = (await readdir(join(cacheDir, 'blobs'), { recursive: true, withFileTypes: true })).filter((entry) =>
      entry.isFile(),
    )
    expect(files.length).toBeGreaterThan(10)
    for (const { parentPath, name } of files) {
      const path = join(parentPath, name)
      await chmod(path, 0o644)
      await writeFile(path, randomBytes(4096))
    }
    expect((await evaluate()).confusion).toEqual(good.confusion)
    await rm(join(cacheDir, 'blobs'), { recursive: true })
    expect((await evaluate()).confusion).toEqual(good.confusion)
  })

  test('keeps its cache within its limit', async () => {
    const cacheDir = join(test_.folder, 'small')
    await startWorker({ cacheDir, cacheBytes: 300_000, sessionLimits: { sessions: 0, bytes: 0 } })
    for (const file of ['digits_cnn.pth', 'digits_cnn_epoch1.pth', 'digits_cnn_bf16.pth']) {
      const checkpointId = await checkpoint(platform, await digitsModel(platform), file)
      // What is in use stays, and statistics use weights too.
      while ((await platform.store.prisma.inspection.count({ where: { status: 'PENDING' } })) > 0) await delay(50)
      expect((await ended(platform, (await startRun(platform, { checkpointId, datasetId: digits })).id)).status).toBe(
        'SUCCEEDED',
      )
      const blobs = await readdir(join(cacheDir, 'blobs'), { recursive: true, withFileTypes: true })
      const sizes = blobs
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => statSync(join(parentPath, name)).size)
      expect(sizes.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(300_000)
      expect(await readdir(join(cacheDir, 'partial'))).toEqual([])
    }
  })

  test('refuses a device that it does not have, and fails no other run for it', async () => {
    const device = {
      ...{ engine: 'tensorflow', version: '1', id: 'cuda:0', description: 'a card', memoryBytes: null },
      ...{ computeDTypes: ['float32'], lacks: { operators: [], dtypes: [] } },
    }
    const elsewhere = await platform.store.workers.register({ hostname: 'gpu', pid: 1, devices: [device] })
    const { id } = await startRun(platform, { checkpointId: digitsCheckpoint, datasetId: digits, device: 'cuda' })
    await startWorker()
    expect(await ended(platform, id)).toMatchObject({
      status: 'FAILED',
      errorCode: 'DEVICE_UNAVAILABLE',
      errorMessage: expect.stringMatching(/there are cpu/),
    })
    await elsewhere[Symbol.asyncDispose]()
  })
})
