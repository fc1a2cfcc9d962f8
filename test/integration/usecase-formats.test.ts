import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { shardedSha256, DEFAULT_CHECKPOINT_LIMITS } from '../../src/checkpoint/index.ts'
import { bindCheckpoint, createModel, importCheckpoint, type Platform } from '../../src/usecase/index.ts'
import { checkpoint, digitsModel } from './usecase/fixture-models.ts'
import { refused } from './usecase/refusal.ts'
import { shardFiles } from './usecase/shard-files.ts'
import { openTestPlatform, upload, type TestPlatform } from './usecase/test-platform.ts'

let test_: TestPlatform
let platform: Platform
let modelId: string
beforeAll(async () => {
  test_ = await openTestPlatform({
    checkpoint: { ...DEFAULT_CHECKPOINT_LIMITS, sharded: { maxShards: 3, maxIndexBytes: 1e6 } },
  })
  platform = test_.platform
  modelId = await digitsModel(platform)
})
afterAll(async () => {
  await test_[Symbol.asyncDispose]()
})

const hashesByKey = async (id: string): Promise<Record<string, string>> => {
  const entries = await platform.store.prisma.stateDictEntry.findMany({
    where: { checkpointId: id },
    include: { tensor: { include: { storage: true } } },
  })
  return Object.fromEntries(entries.map(({ key, tensor }) => [key, tensor.storage.storageHash]))
}

test('a file before PyTorch 1.6 is the same checkpoint as its zip', async () => {
  const legacy = await checkpoint(platform, modelId, 'digits_cnn_legacy.pth')
  const zip = await checkpoint(platform, modelId, 'digits_cnn.pth')
  expect(await platform.store.prisma.checkpoint.findUnique({ where: { id: legacy } })).toMatchObject({
    format: 'TORCH_LEGACY',
  })
  expect(await hashesByKey(legacy)).toEqual(await hashesByKey(zip))
  expect(await bindCheckpoint(platform, { checkpointId: legacy })).toMatchObject({ ok: true })
})

describe('a sharded checkpoint', () => {
  test('is one checkpoint, and consumes all of its uploads', async () => {
    const files = await shardFiles('digits_cnn.safetensors')
    const [uploadId, ...shardUploadIds] = await uploadAll(files)
    const { id } = await importCheckpoint(platform, {
      modelId,
      uploadId: uploadId!,
      shardUploadIds: shardUploadIds.reverse(),
    })
    const hashed = Object.entries(files).map(([name, bytes]) => ({
      name,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    }))
    expect(await platform.store.prisma.checkpoint.findUnique({ where: { id } })).toMatchObject({
      format: 'SAFETENSORS_SHARDED',
      name: 'model.safetensors.index.json',
      fileSha256: shardedSha256(hashed[0]!, hashed.slice(1)),
      fileBytes: BigInt(Object.values(files).reduce((sum, { length }) => sum + length, 0)),
    })
    const whole = await checkpoint(platform, modelId, 'digits_cnn.safetensors')
    expect(await hashesByKey(id)).toEqual(await hashesByKey(whole))
    expect(await bindCheckpoint(platform, { checkpointId: id })).toMatchObject({ ok: true })
    expect(await platform.store.prisma.upload.count()).toBe(0)
    expect((await readdir(platform.spoolDir)).filter((name) => name !== 'spool.json')).toEqual([])
  })

  test('without a shard, with one too many, or without its shards is refused, and keeps its uploads', async () => {
    const files = await shardFiles('digits_cnn.safetensors')
    const [uploadId, first, second, third] = (await uploadAll(files)) as [string, string, string, string]
    const attempt =
      (...shardUploadIds: string[]) =>
      () =>
        importCheckpoint(platform, { modelId, uploadId, shardUploadIds, name: 'not imported' })
    await refused(
      platform,
      attempt(first, second),
      'BAD_INPUT',
      /1 of its 3 shards are missing: "model-14\.safetensors"/,
    )
    await refused(platform, attempt(first, second, second), 'BAD_INPUT', /given twice/)
    await refused(platform, attempt(), 'CHECKPOINT_UNSUPPORTED', /index of a sharded checkpoint\. Give the shards/)
    await refused(
      platform,
      attempt(first, second, third, uploadId),
      'LIMIT_EXCEEDED',
      /4 shards were given, the limit is 3/,
    )
    await refused(platform, attempt(first, second, crypto.randomUUID()), 'NOT_FOUND', /no upload/)
  })
})

test('quantized and sparse tensors are kept, and refused for evaluation by name', async () => {
  const layers = [{ type: 'Linear', in_features: 4, out_features: 3 }]
  const { id } = await createModel(platform, {
    name: 'opaque',
    task: 'MULTICLASS',
    architecture: { layers: { layers, input: [4] } },
  })
  const checkpointId = await checkpoint(platform, id, 'checkpoints/opaque_linear.pth')
  const report = await bindCheckpoint(platform, { checkpointId })
  expect(report).toMatchObject({ ok: false, missing: [], unexpected: [] })
  expect(report.refused).toEqual([
    { key: '0.weight', dtype: 'a quantized tensor (torch.per_channel_affine)' },
    { key: '0.bias', dtype: 'a sparse tensor (torch.sparse_coo)' },
  ])
  expect(report.message).toContain(
    '"0.weight" is a quantized tensor (torch.per_channel_affine) and cannot be evaluated; dequantize it before torch.save',
  )
  expect(report.message).toContain(
    '"0.bias" is a sparse tensor (torch.sparse_coo) and cannot be evaluated; save it dense',
  )
})

async function uploadAll(files: Readonly<Record<string, Buffer>>): Promise<string[]> {
  const ids: string[] = []
  for (const [name, bytes] of Object.entries(files)) ids.push(await upload(platform, name, bytes))
  return ids
}
