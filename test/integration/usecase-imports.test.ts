import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createHash, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { ValueTree } from '../../src/checkpoint/index.ts'
import { importCheckpoint, importDataset, type ImportCheckpointInput, type Platform } from '../../src/usecase/index.ts'
import { checkpoint, digitsModel } from './usecase/fixture-models.ts'
import { refused } from './usecase/refusal.ts'
import { safetensorsFile } from './usecase/safetensors-file.ts'
import { fixture, openTestPlatform, upload, type TestPlatform } from './usecase/test-platform.ts'

let test_: TestPlatform
let platform: Platform
let modelId: string
beforeAll(async () => {
  test_ = await openTestPlatform()
  platform = test_.platform
  modelId = await digitsModel(platform)
})
afterAll(async () => {
  await test_[Symbol.asyncDispose]()
})

describe('importCheckpoint', () => {
  const row = (id: string) =>
    platform.store.prisma.checkpoint.findUniqueOrThrow({
      where: { id },
      include: { storages: true, tensors: true, entries: { orderBy: { position: 'asc' } } },
    })

  test('stores the tree, every storage and the state_dict, and consumes the upload', async () => {
    const uploadId = await upload(platform, 'digits_cnn.pth')
    const file = await readFile(fixture('digits_cnn.pth'))
    const { id } = await importCheckpoint(platform, { modelId, uploadId })
    const stored = await row(id)
    expect(stored).toMatchObject({
      name: 'digits_cnn.pth',
      format: 'TORCH_ZIP',
      fileName: 'digits_cnn.pth',
      fileSha256: createHash('sha256').update(file).digest('hex'),
      fileBytes: BigInt(file.byteLength),
      stateDictPath: [],
    })
    expect(stored.entries).toHaveLength(18)
    expect(stored.entries[0]).toMatchObject({ key: '0.weight', position: 0 })
    expect(stored.tensors[0]).toMatchObject({ dtype: 'float32', shape: [16n, 1n, 3n, 3n], stride: [9n, 9n, 3n, 1n] })
    expect((stored.tree as unknown as ValueTree).nodes.length).toBeGreaterThan(18)
    for (const { storageHash } of stored.storages) {
      const hash = createHash('sha256')
      for await (const piece of platform.store.bytes.read(storageHash)) hash.update(piece)
      expect(hash.digest('hex')).toBe(storageHash)
    }
    await expect(importCheckpoint(platform, { modelId, uploadId })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('keeps the bytes of equal storages once', async () => {
    const before = await platform.store.prisma.storage.count()
    await checkpoint(platform, modelId, 'digits_cnn_cuda0.pth')
    await checkpoint(platform, modelId, 'digits_cnn.safetensors')
    expect(await platform.store.prisma.storage.count()).toBe(before)
  })

  test('keeps a whole training checkpoint, and finds the state_dict in it', async () => {
    const stored = await row(await checkpoint(platform, modelId, 'digits_cnn_training_checkpoint.pth'))
    expect(stored.stateDictPath).toEqual(['model_state_dict'])
    expect(stored.entries.map(({ key }) => key)).toContain('12.bias')
    // The optimizer's moments are there too.
    expect(stored.tensors.length).toBeGreaterThan(2 * 12)
    const texts = (stored.tree as unknown as ValueTree).nodes.flatMap((node) =>
      node.kind === 'string' ? [node.value] : [],
    )
    expect(texts).toEqual(expect.arrayContaining(['epoch', 'optimizer_state_dict', 'exp_avg']))
  })

  test('finds the state_dict behind a wrapper’s prefix', async () => {
    const stored = await row(await checkpoint(platform, modelId, 'digits_cnn_dataparallel.pth'))
    expect(stored.entries[0]!.key).toBe('module.0.weight')
  })

  test('takes a name once in a model, also when it is asked for at the same time', async () => {
    const name = randomUUID()
    const uploads = await Promise.all([0, 1, 2].map(() => upload(platform, 'digits_cnn_epoch1.pth')))
    const results = await Promise.allSettled(
      uploads.map((uploadId) => importCheckpoint(platform, { modelId, uploadId, name })),
    )
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const [i, result] of results.entries())
      if (result.status === 'rejected') {
        expect(result.reason).toMatchObject({ code: 'CONFLICT' })
        // The upload is there still, for another name.
        await importCheckpoint(platform, { modelId, uploadId: uploads[i]!, name: randomUUID() })
      }
    await importCheckpoint(platform, {
      modelId: await digitsModel(platform),
      uploadId: await upload(platform, 'digits_cnn.pth'),
      name,
    })
  })

  const refusal = async (
    file: { readonly uploadId: string },
    ...[code, message, options]: [Parameters<typeof refused>[2], RegExp, Partial<ImportCheckpointInput>?]
  ) => {
    await refused(
      platform,
      () => importCheckpoint(platform, { modelId, ...file, name: randomUUID(), ...options }),
      code,
      message,
    )
  }
  const file = async (name: string, content?: Uint8Array | string) => ({
    uploadId: await upload(platform, name, content),
  })

  test('refuses what is no checkpoint, or an unsafe one', async () => {
    const whole = new Uint8Array(await readFile(fixture('digits_cnn.pth')))
    await refusal(await file('digits_cnn_full_model.pth'), 'CHECKPOINT_WHOLE_MODULE', /state_dict\(\)/)
    await refusal(await file('a.pth', ''), 'CHECKPOINT_UNKNOWN_FORMAT', /empty/)
    await refusal(await file('a.pth', '<html><body>404'), 'CHECKPOINT_UNKNOWN_FORMAT', /HTML/)
    await refusal(
      await file('a.pth', 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n'),
      'CHECKPOINT_UNKNOWN_FORMAT',
      /LFS/,
    )
    await refusal(await file('a.pth', whole.subarray(0, 100_000)), 'CHECKPOINT_CORRUPT', /./)
    await refusal(await file('a.pth', 'cos\nsystem\n(S"true"\ntR.'), 'CHECKPOINT_UNSAFE_GLOBAL', /os\.system/)
    // A byte of data.pkl that is no opcode.
    const damaged = whole.slice()
    damaged[whole.indexOf(0x80, 60)] = 0xff
    await refusal(await file('a.pth', damaged), 'CHECKPOINT_CORRUPT', /./)
  })

  test('refuses what cannot be found, and keeps the upload for another try', async () => {
    await refusal(await file('digits_cnn.pth'), 'NOT_FOUND', /no model/, { modelId: randomUUID() })
    await refusal({ uploadId: randomUUID() }, 'NOT_FOUND', /no upload/)
    const training = await file('digits_cnn_training_checkpoint.pth')
    await refusal(training, 'BAD_INPUT', /no state_dict at \["ema"\]; there are \["model_state_dict"\]/, {
      stateDictPath: ['ema'],
    })
    await importCheckpoint(platform, { modelId, ...training, name: randomUUID(), stateDictPath: ['model_state_dict'] })
    const expired = await file('digits_cnn.pth')
    test_.forward(platform.limits.uploadLifetimeMs + 1)
    await refusal(expired, 'NOT_FOUND', /expired/)
    test_.forward(-platform.limits.uploadLifetimeMs - 1)
    const receiving = await platform.store.prisma.upload.create({
      data: { fileName: 'a.pth', expiresAt: new Date(Date.now() + 60_000) },
    })
    await refusal({ uploadId: receiving.id }, 'CONFLICT', /a.pth: the upload is still being received/)
  })
})

describe('importDataset', () => {
  const row = (id: string) =>
    platform.store.prisma.dataset.findUniqueOrThrow({
      where: { id },
      include: { columns: { orderBy: { index: 'asc' } } },
    })
  const imported = async (name: string, file: string, content?: Uint8Array | string, labelColumn?: string) =>
    await importDataset(platform, { name, uploadId: await upload(platform, file, content), labelColumn })

  test('stores columns with their statistics', async () => {
    const stored = await row((await imported('digits', 'digits_test.npz')).id)
    expect(stored).toMatchObject({ name: 'digits', version: 1, format: 'npz', rows: 450n })
    expect(stored.columns).toEqual([
      expect.objectContaining({ name: 'x', role: 'FEATURE', dtype: 'float32', shape: [1, 8, 8], min: 0, max: 1 }),
      expect.objectContaining({ name: 'y', role: 'LABEL', dtype: 'int64', shape: [], min: 0, max: 9, integral: true }),
    ])
    expect(await platform.store.bytes.size(stored.columns[0]!.storageHash)).toBe(450 * 64 * 4)
  })

  test('keeps the names of labels that are strings', async () => {
    const stored = await row((await imported('pets', 'pets.csv', 'size,kind\n1,cat\n2,dog\n3,cat\n', 'kind')).id)
    expect(stored).toMatchObject({ format: 'csv', rows: 3n, columns: [{}, { names: ['cat', 'dog'] }] })
  })

  test('counts versions without a gap, also when they come at the same time', async () => {
    const versions = await Promise.all(
      Array.from({ length: 6 }, (_, i) => imported('many', 'a.csv', `a,label\n${i},0\n1,1\n`, 'label')),
    )
    expect(versions.map(({ version }) => version).sort()).toEqual([1, 2, 3, 4, 5, 6])
    expect((await imported('others', 'a.csv', 'a,label\n1,0\n', 'label')).version).toBe(1)
  })

  test('refuses what is no dataset, and keeps the upload', async () => {
    const name = randomUUID()
    const refusal = async (
      file: string,
      content: Uint8Array | string,
      ...[code, message, labelColumn]: [Parameters<typeof refused>[2], RegExp, string?]
    ) => {
      const uploadId = await upload(platform, file, content)
      await refused(platform, () => importDataset(platform, { name, uploadId, labelColumn }), code, message)
    }
    const npz = new Uint8Array(await readFile(fixture('digits_test.npz')))
    await refusal('a.npz', '', 'DATASET_UNKNOWN_FORMAT', /empty/)
    await refusal('a.npz', '<html><body>404', 'DATASET_UNKNOWN_FORMAT', /HTML/)
    await refusal('a.npz', npz.subarray(0, 50_000), 'DATASET_CORRUPT', /./)
    await refusal('a.csv', 'a,b,label\n1,2,0\n1,0\n', 'DATASET_CORRUPT', /line 3/, 'label')
    await refusal('a.csv', 'a,b,label\n1,2,0\n1,nan,0\n', 'DATASET_NOT_FINITE', /./, 'label')
    await refusal('a.csv', 'a,b\n1,2\n', 'BAD_INPUT', /target/, 'target')
    const x = { dtype: 'float32', shape: [2, 1], data: new Float32Array([1, NaN]) } as const
    const y = { dtype: 'int64', shape: [2], data: new BigInt64Array(2) } as const
    await refusal('a.safetensors', safetensorsFile({ x, y }), 'DATASET_NOT_FINITE', /./)
    await refused(
      platform,
      () => importDataset(platform, { name: ' ', uploadId: randomUUID() }),
      'BAD_INPUT',
      /name of the dataset is empty/,
    )
    await refused(platform, () => importDataset(platform, { name, uploadId: randomUUID() }), 'NOT_FOUND', /no upload/)
  })
})
