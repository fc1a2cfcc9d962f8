import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { setTimeout as delay } from 'node:timers/promises'
import {
  compareCheckpoints,
  importCheckpoint,
  startRun,
  statisticsOf,
  viewHash,
  type Platform,
} from '../../src/usecase/index.ts'
import type { TensorStatistics } from '../../src/statistics/index.ts'
import { dataset, digitsModel } from './usecase/fixture-models.ts'
import { safetensorsFile, type FileArray } from './usecase/safetensors-file.ts'
import { openTestPlatform, upload, type TestPlatform } from './usecase/test-platform.ts'
import { startChildWorker } from './worker/child-worker.ts'
import { ended, startTestWorker } from './worker/test-worker.ts'

const float32 = (values: readonly number[]): FileArray => ({
  dtype: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
})

async function until(question: () => Promise<boolean>): Promise<void> {
  while (!(await question())) await delay(30)
}

describe('a worker that has nothing to evaluate', () => {
  let test_: TestPlatform
  let platform: Platform
  let modelId: string
  let count = 0
  beforeAll(async () => {
    test_ = await openTestPlatform()
    platform = test_.platform
    modelId = await digitsModel(platform)
  })
  afterAll(async () => {
    await test_[Symbol.asyncDispose]()
  })

  async function checkpoint(arrays: Readonly<Record<string, FileArray>>): Promise<string> {
    const uploadId = await upload(platform, 'w.safetensors', safetensorsFile(arrays))
    return (await importCheckpoint(platform, { modelId, uploadId, name: `checkpoint ${++count}` })).id
  }

  const inspectionOf = (checkpointId: string) =>
    platform.store.prisma.inspection.findFirstOrThrow({ where: { checkpointId, kind: 'STATISTICS' } })
  const finished = (checkpointId: string) => until(async () => (await inspectionOf(checkpointId)).status !== 'PENDING')

  async function statistics(checkpointId: string): Promise<Readonly<Record<string, TensorStatistics | undefined>>> {
    const { prisma } = platform.store
    const entries = await prisma.stateDictEntry.findMany({
      where: { checkpointId },
      include: { tensor: { include: { storage: true } } },
    })
    const found: Record<string, TensorStatistics | undefined> = {}
    for (const { key, tensor } of entries) {
      const hash = viewHash({ ...tensor, storageHash: tensor.storage.storageHash })
      const row = await prisma.tensorStatistics.findUnique({ where: { viewHash: hash } })
      found[key] = row === null ? undefined : statisticsOf(row.value)
    }
    return found
  }

  test('computes the statistics of a new checkpoint, those of equal tensors once', async () => {
    await using worker = await startTestWorker(platform, test_.folder)
    expect(worker.engine.name).toBe('onnxruntime')
    const first = await checkpoint({ weight: float32([1, 2, 3, 4]), bias: float32([0, -0, 5]) })
    await finished(first)
    expect(await inspectionOf(first)).toMatchObject({ status: 'READY', errorMessage: null })
    const found = await statistics(first)
    expect(found['weight']).toMatchObject({ elements: 4, zeros: 0, nan: 0, min: 1, max: 4, mean: 2.5 })
    expect(found['weight']!.std).toBeCloseTo(Math.sqrt(5 / 3), 14)
    expect(found['weight']!.norm).toBeCloseTo(Math.sqrt(30), 14)
    expect(found['weight']!.histogram!.edges).toHaveLength(65)
    expect(found['weight']!.histogram!.edges[32]).toBe(2.5)
    expect(found['weight']!.histogram!.counts.flatMap((n, bin) => (n > 0 ? [bin] : []))).toEqual([0, 21, 42, 63])
    expect(found['bias']).toMatchObject({ zeros: 2, min: 0, max: 5 })

    const rows = await platform.store.prisma.tensorStatistics.count()
    const second = await checkpoint({ same: float32([1, 2, 3, 4]), other: float32([7]) })
    await finished(second)
    expect((await statistics(second))['same']).toEqual(found['weight'])
    expect((await statistics(second))['other']).toMatchObject({ mean: 7, std: null })
    expect(await platform.store.prisma.tensorStatistics.count()).toBe(rows + 1)
    const { warnings } = await platform.store.prisma.checkpoint.findUniqueOrThrow({ where: { id: second } })
    expect(warnings).toEqual([])
  })

  test('warns of weights that are not finite, by name and number', async () => {
    await using _worker = await startTestWorker(platform, test_.folder)
    const id = await checkpoint({
      good: float32([1]),
      'fc.weight': float32([NaN, 1, NaN, Infinity]),
      'fc.bias': float32([-Infinity]),
    })
    await finished(id)
    const { warnings } = await platform.store.prisma.checkpoint.findUniqueOrThrow({ where: { id } })
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(/^weights are not finite in 2 tensors: /)
    expect(warnings[0]).toContain('fc.weight (2 NaN, 1 Inf)')
    expect(warnings[0]).toContain('fc.bias (1 -Inf)')
    expect(warnings[0]).not.toContain('good')
    expect((await statistics(id))['fc.bias']).toMatchObject({ elements: 1, min: null, mean: null, histogram: null })
  })

  test('measures how far two checkpoints are apart, once', async () => {
    const base = await checkpoint({
      same: float32([9, 9]),
      moved: float32([3, 4]),
      gone: float32([6]),
      cut: float32([1, 2]),
    })
    const other = await checkpoint({
      same: float32([9, 9]),
      moved: float32([3, 5]),
      here: float32([2]),
      cut: float32([1]),
    })
    const before = await compareCheckpoints(platform, base, other)
    expect(before).toMatchObject({ status: 'PENDING', added: ['here'], removed: ['gone'], equalTensors: 1 })
    expect(before.tensors.find(({ key }) => key === 'moved')).toMatchObject({ change: null, distance: null })
    await using _worker = await startTestWorker(platform, test_.folder)
    await until(async () => (await compareCheckpoints(platform, base, other)).status === 'READY')
    const after = await compareCheckpoints(platform, base, other)
    const of = (key: string) => after.tensors.find((tensor) => tensor.key === key)!
    expect(of('same')).toMatchObject({ change: 'UNCHANGED', distance: { l2: 0, cosineSimilarity: 1 } })
    expect(of('cut')).toMatchObject({ change: 'SHAPE', distance: null, reason: 'shape [2] became [1]' })
    expect(of('moved')).toMatchObject({ change: 'VALUES', distance: { l2: 1, relativeL2: 0.2, maxAbsDifference: 1 } })
    expect(of('moved').distance!.cosineSimilarity).toBeCloseTo(29 / (5 * Math.sqrt(34)), 14)
    expect(after.storages).toEqual({ base: 8 + 8 + 4 + 8, other: 8 + 8 + 4 + 4, common: 8, share: 8 / 24 })
    expect(after.equalShare).toBe(8 / 24)
    expect(await platform.store.prisma.inspection.count({ where: { kind: 'COMPARISON' } })).toBe(1)
    await expect(compareCheckpoints(platform, base, base)).rejects.toMatchObject({ code: 'BAD_INPUT' })
  })

  test('leaves it to a run that comes: the run ends first, the statistics after it', async () => {
    const data = Float32Array.from({ length: 2 * 2 ** 20 }, (_, i) => Math.sin(i))
    const datasetId = await dataset(platform, 'digits_test.npz')
    const uploadId = await upload(platform, 'digits_cnn.pth')
    const { id: small } = await importCheckpoint(platform, { modelId, uploadId, name: 'digits' })
    const large = await checkpoint({ large: { dtype: 'float32', shape: [data.length], data } })
    const { id: runId } = await startRun(platform, { checkpointId: small, datasetId })
    await using _worker = await startTestWorker(platform, test_.folder)
    const run = await ended(platform, runId)
    expect(run.status).toBe('SUCCEEDED')
    await finished(large)
    const { finishedAt } = await inspectionOf(large)
    expect(finishedAt!.getTime()).toBeGreaterThan(run.finishedAt!.getTime())
    expect((await statistics(large))['large']).toMatchObject({ elements: data.length, nan: 0 })
  })

  test('is replaced by another when it is killed', async () => {
    const arrays = Object.fromEntries(
      Array.from({ length: 4 }, (_, k) => {
        const data = Float64Array.from({ length: 2 ** 19 }, (_value, i) => Math.sin(i + k))
        return [`w${k}`, { dtype: 'float64', shape: [data.length], data } as const]
      }),
    )
    await using one = await startChildWorker(test_)
    const id = await checkpoint(arrays)
    await until(async () => (await inspectionOf(id)).workerId !== null)
    await one.kill()
    expect((await inspectionOf(id)).status).toBe('PENDING')
    await using _other = await startChildWorker(test_)
    const killedAt = Date.now()
    await finished(id)
    expect(await inspectionOf(id)).toMatchObject({ status: 'READY' })
    expect(Date.now() - killedAt).toBeLessThan(120_000)
    expect(Object.keys(await statistics(id))).toHaveLength(4)
    for (const value of Object.values(await statistics(id))) expect(value).toMatchObject({ elements: 2 ** 19 })
  }, 240_000)

  test('queues checkpoints that were imported before there were statistics', async () => {
    const id = await checkpoint({ weight: float32([1, 2]) })
    await platform.store.prisma.$executeRaw`delete from pgboss.job where id = ${(await inspectionOf(id)).id}::uuid`
    await using _worker = await startTestWorker(platform, test_.folder)
    await finished(id)
    expect((await inspectionOf(id)).status).toBe('READY')
  })

  test('says why there are none when the bytes are damaged', async () => {
    const id = await checkpoint({ weight: float32([41, 42, 43]) })
    const { storageHash } = await platform.store.prisma.checkpointStorage.findFirstOrThrow({
      where: { checkpointId: id },
    })
    await platform.store.prisma.$executeRaw`
      update "StorageChunk" set bytes = '\\x000000000000000000000000'::bytea
      where "contentId" = (select "contentId" from "Storage" where sha256 = ${storageHash})`
    await using _worker = await startTestWorker(platform, test_.folder)
    await finished(id)
    expect(await inspectionOf(id)).toMatchObject({
      status: 'FAILED',
      errorCode: 'STORAGE_DAMAGED',
      errorMessage: expect.stringMatching(/^storage [0-9a-f]{64} is damaged/),
    })
  })
})
