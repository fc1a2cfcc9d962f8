import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { randomUUID } from 'node:crypto'
import { bindCheckpoint, cancelRun, startRun, type Platform, type StartRunInput } from '../../src/usecase/index.ts'
import { shardRows } from '../../src/usecase/start-run.ts'
import { cancerModel, checkpoint, dataset, digitsModel } from './usecase/fixture-models.ts'
import { refused } from './usecase/refusal.ts'
import { safetensorsFile } from './usecase/safetensors-file.ts'
import { openTestPlatform, type TestPlatform } from './usecase/test-platform.ts'

let test_: TestPlatform
let platform: Platform
let modelId: string
let checkpointId: string
let datasetId: string
beforeAll(async () => {
  test_ = await openTestPlatform({ shardRows: 100 })
  platform = test_.platform
  modelId = await digitsModel(platform)
  checkpointId = await checkpoint(platform, modelId, 'digits_cnn.pth')
  datasetId = await dataset(platform, 'digits_test.npz')
})
afterAll(async () => {
  await test_[Symbol.asyncDispose]()
})

const jobs = async () =>
  (
    await platform.store.prisma.$queryRaw<{ n: bigint }[]>`select count(*) as n from pgboss.job where state < 'active'`
  )[0]!.n

const refusal = async (
  input: Partial<StartRunInput>,
  ...[code, message]: [Parameters<typeof refused>[2], RegExp]
): Promise<void> => {
  const queued = await jobs()
  await refused(platform, () => startRun(platform, { checkpointId, datasetId, ...input }), code, message)
  expect(await jobs()).toBe(queued)
}

describe('startRun', () => {
  test('writes the run, its shards, their queue entries and the first event', async () => {
    const queued = await jobs()
    const run = await startRun(platform, {
      checkpointId,
      datasetId,
      name: ' first ',
      device: 'cpu',
      batchSize: 7,
      threshold: 0.25,
      mapLocation: { tags: { 'cuda:0': 'cpu' } },
      keyMapping: { stripPrefix: 'module.' },
    })
    expect(run).toMatchObject({
      name: 'first',
      status: 'QUEUED',
      modelId,
      device: 'cpu',
      batchSize: 7,
      threshold: 0.25,
      strict: true,
      mapLocation: { tags: { 'cuda:0': 'cpu' } },
      keyMapping: { stripPrefix: 'module.', addPrefix: null },
      samples: 0n,
      total: 450n,
      seq: 1,
      startedAt: null,
    })
    const shards = await platform.store.prisma.shard.findMany({ where: { runId: run.id }, orderBy: { index: 'asc' } })
    expect(shards.map(({ firstRow, endRow, status }) => [firstRow, endRow, status])).toEqual([
      [0n, 90n, 'QUEUED'],
      [90n, 180n, 'QUEUED'],
      [180n, 270n, 'QUEUED'],
      [270n, 360n, 'QUEUED'],
      [360n, 450n, 'QUEUED'],
    ])
    expect(await jobs()).toBe(queued + 5n)
    expect(await platform.store.prisma.runEvent.findMany({ where: { runId: run.id } })).toMatchObject([
      { seq: 1, kind: 'STATUS', payload: { status: 'QUEUED' } },
    ])
  })

  test('has defaults', async () => {
    const run = await startRun(platform, { checkpointId, datasetId })
    expect(run).toMatchObject({
      name: null,
      device: 'auto',
      threshold: 0.5,
      strict: true,
      mapLocation: null,
      keyMapping: null,
    })
    expect(run.batchSize).toBeGreaterThanOrEqual(64)
  })

  test('checks its settings', async () => {
    for (const batchSize of [0, -1, 1.5, 65_537, NaN, Infinity])
      await refusal({ batchSize }, 'BAD_INPUT', /the batch size is .*; a whole number from 1 to 65536/)
    for (const threshold of [-0.1, 1.1, NaN]) await refusal({ threshold }, 'BAD_INPUT', /a probability from 0 to 1/)
    await refusal({ name: '' }, 'BAD_INPUT', /the name of the run is empty/)
    await refusal({ checkpointId: randomUUID() }, 'NOT_FOUND', /no checkpoint/)
    await refusal({ datasetId: randomUUID() }, 'NOT_FOUND', /no dataset/)
  })

  test('binds first, in PyTorch’s words, and proposes the cure', async () => {
    const wrapped = await checkpoint(platform, modelId, 'digits_cnn_dataparallel.pth')
    const missing =
      /^Error\(s\) in loading state_dict for Sequential:\n\tMissing key\(s\) in state_dict: "0.weight", "0.bias"/
    await refusal({ checkpointId: wrapped }, 'BINDING_FAILED', missing)
    await refusal({ checkpointId: wrapped }, 'BINDING_FAILED', /strip the prefix "module\."/)
    // Lax as load_state_dict(strict=False) is, no parameter is left at random.
    await refusal({ checkpointId: wrapped, strict: false }, 'BINDING_FAILED', /random initial values/)
    await startRun(platform, {
      checkpointId: wrapped,
      datasetId,
      keyMapping: { stripPrefix: 'module.', addPrefix: null },
    })

    const report = await bindCheckpoint(platform, { checkpointId: wrapped })
    expect(report).toMatchObject({ ok: false, proposals: [{ keyMapping: { stripPrefix: 'module.' }, strict: true }] })
    expect(await bindCheckpoint(platform, { checkpointId })).toMatchObject({
      ok: true,
      message: '<All keys matched successfully>',
    })
    await expect(bindCheckpoint(platform, { checkpointId: randomUUID() })).rejects.toMatchObject({ code: 'NOT_FOUND' })

    const other = await checkpoint(platform, await cancerModel(platform), 'digits_cnn.pth')
    await refusal({ checkpointId: other }, 'BINDING_FAILED', /Missing key|size mismatch/)
  })

  test('proposes another state_dict of the file', async () => {
    const training = await checkpoint(platform, modelId, 'digits_cnn_training_checkpoint.pth')
    // As if the user had named the wrong one.
    await platform.store.prisma.checkpoint.update({ where: { id: training }, data: { stateDictPath: ['ema'] } })
    await platform.store.prisma.stateDictEntry.deleteMany({ where: { checkpointId: training, position: { gte: 4 } } })
    expect(await bindCheckpoint(platform, { checkpointId: training })).toMatchObject({
      ok: false,
      proposals: [{ stateDictPath: ['model_state_dict'], keyMapping: null, strict: true }],
    })
  })

  test('checks that the samples fit', async () => {
    const x = (...shape: number[]) => ({
      dtype: 'float32' as const,
      shape,
      data: new Float32Array(shape.reduce((a, b) => a * b)),
    })
    const y = (...labels: number[]) => ({
      dtype: 'int64' as const,
      shape: [labels.length],
      data: BigInt64Array.from(labels.map(BigInt)),
    })
    const of = async (bytes: Uint8Array | string, name = 'a.safetensors') => ({
      datasetId: await dataset(platform, name, { bytes, ...(name.endsWith('csv') ? { labelColumn: 'label' } : {}) }),
    })
    await refusal(
      await of(safetensorsFile({ x: x(2, 1, 8, 7), y: y(0, 1) })),
      'DATASET_SHAPE_MISMATCH',
      /\[1, 8, 7\].*\[1, 8, 8\]/,
    )
    await refusal(
      await of(safetensorsFile({ x: x(2, 1, 8, 8), y: y(0, 10) })),
      'DATASET_LABEL_UNKNOWN',
      /values from 0 to 10/,
    )
    await refusal(
      await of(safetensorsFile({ x: x(2, 1, 8, 8), y: y(-1, 3) })),
      'DATASET_LABEL_UNKNOWN',
      /values from -1 to 3/,
    )
    await refusal(await of('a,label\n1,seven\n', 'a.csv'), 'DATASET_SHAPE_MISMATCH', /./)
  })

  test('checks the device and where storages would be restored', async () => {
    for (const device of ['cuda', 'cuda:0', 'webgpu', 'gpu', '', 'CPU'])
      await refusal(
        { device },
        'DEVICE_UNAVAILABLE',
        /no worker is alive at the moment, so that only what every worker has .* there are cpu \(onnxruntime\)/,
      )
    const cuda = await checkpoint(platform, modelId, 'digits_cnn_cuda0.pth')
    const words = /^Attempting to deserialize object on a CUDA device but torch\.cuda\.is_available\(\) is False\./
    await refusal({ checkpointId: cuda }, 'DEVICE_UNAVAILABLE', words)
    await refusal({ checkpointId: cuda, mapLocation: { tags: { cuda: 'cpu' } } }, 'DEVICE_UNAVAILABLE', words)
    await startRun(platform, { checkpointId: cuda, datasetId, mapLocation: { device: 'cpu' } })
    await startRun(platform, { checkpointId: cuda, datasetId, mapLocation: { tags: { 'cuda:0': 'cpu' } } })
    await refusal({ mapLocation: { device: 'cuda:0' } }, 'DEVICE_UNAVAILABLE', words)
    await refusal({ mapLocation: { device: 'CPU' } }, 'DEVICE_UNAVAILABLE', /don't know how to restore data location/)
    await refusal({ mapLocation: { device: 'meta' } }, 'DEVICE_UNAVAILABLE', /no values/)

    // Now there is a worker with a graphics card.
    const card = (...operators: string[]) => ({
      ...{ engine: 'tensorflow', version: '1', id: 'cuda:0', description: 'a card', memoryBytes: null },
      ...{ computeDTypes: ['float32'], lacks: { operators, dtypes: [] } },
    })
    const worker = await platform.store.workers.register({ hostname: 'gpu', pid: 1, devices: [card()] })
    await refusal({ device: 'cpu' }, 'DEVICE_UNAVAILABLE', /there are cuda:0 \(tensorflow\); name one/)
    await refusal({ device: 'cuda:1' }, 'DEVICE_UNAVAILABLE', /there are cuda:0 \(tensorflow\)/)
    for (const there of ['auto', 'cuda', 'cuda:0'])
      await startRun(platform, { checkpointId: cuda, datasetId, device: there })
    await refusal(
      { engine: 'onnxruntime' },
      'DEVICE_UNAVAILABLE',
      /no device of the engine onnxruntime: there are cuda/,
    )
    await refusal({ computeDType: 'float16' }, 'DEVICE_UNAVAILABLE', /no device that computes in float16/)
    await worker[Symbol.asyncDispose]()

    // One whose engine lacks something, beside nothing else.
    const lacking = await platform.store.workers.register({ hostname: 'gpu', pid: 1, devices: [card('Relu', 'Mod')] })
    await refusal({}, 'ARCHITECTURE_UNSUPPORTED_OPERATOR', /the engine tensorflow lacks Relu, which the graph/)
    await lacking[Symbol.asyncDispose]()
  })
})

describe('cancelRun', () => {
  test('ends a queued run at once, and leaves one that has ended as it is', async () => {
    const queued = await jobs()
    const { id } = await startRun(platform, { checkpointId, datasetId })
    const cancelled = await cancelRun(platform, { runId: id })
    expect(cancelled).toMatchObject({ status: 'CANCELLED', seq: 2, startedAt: null, finishedAt: expect.any(Date) })
    expect(await jobs()).toBe(queued)
    expect(await cancelRun(platform, { runId: id })).toEqual(cancelled)
    await expect(cancelRun(platform, { runId: randomUUID() })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('writes one final event, however many cancel at once', async () => {
    const { id } = await startRun(platform, { checkpointId, datasetId })
    await Promise.all(Array.from({ length: 8 }, () => cancelRun(platform, { runId: id })))
    const events = await platform.store.prisma.runEvent.findMany({ where: { runId: id }, orderBy: { seq: 'asc' } })
    expect(events.map(({ payload }) => payload)).toEqual([{ status: 'QUEUED' }, { status: 'CANCELLED' }])
  })
})

describe('shardRows', () => {
  test.each([
    [1n, 10],
    [10n, 10],
    [11n, 10],
    [1_000_003n, 1000],
  ])('%d rows in shards of at most %d: each row once', (rows, size) => {
    const shards = shardRows(rows, size)
    expect(shards[0]![0]).toBe(0n)
    expect(shards.at(-1)![1]).toBe(rows)
    shards.forEach(([first, end], i) => {
      if (i > 0) expect(first).toBe(shards[i - 1]![1])
      expect(end - first).toBeGreaterThan(0n)
      expect(end - first).toBeLessThanOrEqual(BigInt(size))
    })
  })
})
