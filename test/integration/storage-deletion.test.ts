import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createHash, randomUUID } from 'node:crypto'
import {
  cancelRun,
  deleteCheckpoint,
  deleteDataset,
  deleteModel,
  deleteRun,
  importCheckpoint,
  importDataset,
  startRun,
  type Platform,
} from '../../src/usecase/index.ts'
import { checkpoint, dataset, digitsModel } from './usecase/fixture-models.ts'
import { refused } from './usecase/refusal.ts'
import { safetensorsFile } from './usecase/safetensors-file.ts'
import { countRows, openTestPlatform, upload, type TestPlatform } from './usecase/test-platform.ts'

let test_: TestPlatform
let platform: Platform
beforeAll(async () => {
  test_ = await openTestPlatform()
  platform = test_.platform
})
afterAll(async () => {
  await test_[Symbol.asyncDispose]()
})

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of stream) parts.push(part)
  return Buffer.concat(parts)
}

describe('deleting', () => {
  test('a checkpoint that runs use is refused, with the number; so is one with a run under way', async () => {
    const modelId = await digitsModel(platform)
    const checkpointId = await checkpoint(platform, modelId, 'digits_cnn.pth')
    const datasetId = await dataset(platform, 'digits_test.npz')
    const runs = [
      await startRun(platform, { checkpointId, datasetId }),
      await startRun(platform, { checkpointId, datasetId }),
    ]
    const id = runs[0]!.id
    const deletions = [
      () => deleteCheckpoint(platform, { checkpointId, deleteRuns: true }),
      () => deleteDataset(platform, { datasetId, deleteRuns: true }),
      () => deleteModel(platform, { modelId, deleteRuns: true, deleteCheckpoints: true }),
    ]
    for (const act of deletions) await refused(platform, act, 'CONFLICT', /has 2 runs under way/)
    await refused(platform, () => deleteRun(platform, { runId: id }), 'CONFLICT', /the run is QUEUED; wait/)
    for (const run of runs) await cancelRun(platform, { runId: run.id })
    await refused(
      platform,
      () => deleteCheckpoint(platform, { checkpointId }),
      'CONFLICT',
      /"digits_cnn.pth \d+" is used by 2 runs/,
    )
    await refused(platform, () => deleteDataset(platform, { datasetId }), 'CONFLICT', /version 1 is used by 2 runs/)
    await refused(platform, () => deleteModel(platform, { modelId }), 'CONFLICT', /is used by 2 runs/)
    await deleteRun(platform, { runId: id })
    await refused(platform, () => deleteCheckpoint(platform, { checkpointId }), 'CONFLICT', /is used by 1 run;/)
    expect(await deleteDataset(platform, { datasetId, deleteRuns: true })).toEqual({ runs: 1, checkpoints: 0 })
    await refused(platform, () => deleteModel(platform, { modelId }), 'CONFLICT', /has 1 checkpoint;/)
    expect(await deleteModel(platform, { modelId, deleteCheckpoints: true })).toEqual({ runs: 0, checkpoints: 1 })
    for (const act of [
      () => deleteModel(platform, { modelId }),
      () => deleteCheckpoint(platform, { checkpointId }),
      () => deleteDataset(platform, { datasetId }),
      () => deleteRun(platform, { runId: id }),
    ])
      await refused(platform, act, 'NOT_FOUND', /there is no/)
    expect(await countRows(platform)).toEqual({
      ...{ architectures: 1, models: 0, checkpoints: 0, checkpointStorages: 0, tensors: 0, entries: 0 },
      ...{ datasets: 0, columns: 0, runs: 0, shards: 0, events: 0 },
    })
  })

  test('what is deleted while it comes into use is not there for the one, or in use for the other', async () => {
    const modelId = await digitsModel(platform)
    const datasetId = await dataset(platform, 'digits_test.npz')
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, async (_, i) => {
        const checkpointId = await checkpoint(platform, modelId, 'digits_cnn.pth', { name: `raced ${i}` })
        const [run, deletion] = await Promise.allSettled([
          startRun(platform, { checkpointId, datasetId }),
          new Promise((resolve) => setTimeout(resolve, i * 8)).then(() => deleteCheckpoint(platform, { checkpointId })),
        ])
        for (const { reason } of [run, deletion].filter((result) => result.status === 'rejected'))
          expect(reason).toMatchObject({ code: expect.stringMatching(/NOT_FOUND|CONFLICT/) })
        return [run.status, deletion.status]
      }),
    )
    // Never both, never neither.
    for (const statuses of outcomes) expect([...statuses].sort()).toEqual(['fulfilled', 'rejected'])
  })
})

/** Contents that checkpoints and datasets are made of, overlapping: from 4 bytes to 1.5 MiB. */
const SEEDS = Array.from({ length: 9 }, (_, seed) => {
  const values = new Float32Array(seed === 0 ? 1 : seed * 49_000).fill(seed + 0.5)
  values[0] = seed
  return values
})
const bytesOf = (seed: number) => Buffer.from(SEEDS[seed]!.buffer)

/** A repeatable source of whole numbers below a bound. */
function dice(seed: number): (sides: number) => number {
  let state = seed
  return (sides) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * sides)
  }
}

describe('bytes that something uses', () => {
  /** A checkpoint of some contents, each a storage. */
  async function importSeeds(modelId: string, seeds: readonly number[]): Promise<string> {
    const file = safetensorsFile(
      Object.fromEntries(
        seeds.map((seed) => [`w${seed}`, { dtype: 'float32', shape: [SEEDS[seed]!.length], data: SEEDS[seed]! }]),
      ),
    )
    const uploadId = await upload(platform, 'seeds.safetensors', file)
    return (await importCheckpoint(platform, { modelId, uploadId, name: randomUUID() })).id
  }
  /** A dataset with one of the contents as its only feature. */
  async function importColumn(seed: number): Promise<string> {
    const rows = SEEDS[seed]!.length
    const file = safetensorsFile({
      x: { dtype: 'float32', shape: [rows, 1], data: SEEDS[seed]! },
      y: { dtype: 'int64', shape: [rows], data: new BigInt64Array(rows) },
    })
    return (
      await importDataset(platform, { name: randomUUID(), uploadId: await upload(platform, 'x.safetensors', file) })
    ).id
  }
  const hashesOf = async (id: string) =>
    (
      await platform.store.prisma.checkpointStorage.findMany({ where: { checkpointId: id }, orderBy: { index: 'asc' } })
    ).map(({ storageHash }) => storageHash)

  test('stay, whatever is imported, deleted and swept at the same time', async () => {
    const modelId = await digitsModel(platform)
    const checkpoints = new Map<string, readonly number[]>()
    const datasets = new Map<string, number>()
    let sweeping = true
    let swept = 0
    const sweepers = [0, 1].map(async () => {
      while (sweeping) {
        swept += (await platform.store.bytes.sweep({ graceMs: 0 })).storages
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    })
    async function actor(seed: number): Promise<void> {
      const roll = dice(seed)
      for (let step = 0; step < 14; step++) {
        const action = roll(10)
        if (action < 4) {
          const seeds = SEEDS.map((_, i) => i).filter(() => roll(3) === 0)
          if (seeds.length > 0) checkpoints.set(await importSeeds(modelId, seeds), seeds)
        } else if (action === 4) {
          const column = 1 + roll(3)
          datasets.set(await importColumn(column), column)
        } else if (action < 9) {
          const [id] = [...checkpoints.keys()].slice(roll(checkpoints.size + 1))
          // Taken before it is deleted: no other actor tries too.
          if (id !== undefined && checkpoints.delete(id)) await deleteCheckpoint(platform, { checkpointId: id })
        } else {
          const [id] = [...datasets.keys()]
          if (id !== undefined && datasets.delete(id)) await deleteDataset(platform, { datasetId: id })
        }
      }
    }
    // On a slow machine one round may be over before the sweepers met anything.
    for (let round = 0; round === 0 || swept <= 3; round++)
      await Promise.all([11, 22, 33, 44, 55, 66].map((seed) => actor(seed + 100 * round)))
    sweeping = false
    await Promise.all(sweepers)

    const check = async () => {
      for (const [id, seeds] of checkpoints) {
        const hashes = await hashesOf(id)
        // A file's storages come in its own order.
        expect([...hashes].sort()).toEqual(seeds.map((seed) => sha256(bytesOf(seed))).sort())
        for (const hash of hashes) expect(sha256(await collect(platform.store.bytes.read(hash)))).toBe(hash)
      }
      for (const [id, seed] of datasets) {
        const column = await platform.store.prisma.datasetColumn.findFirstOrThrow({
          where: { datasetId: id, role: 'FEATURE' },
        })
        expect((await collect(platform.store.bytes.read(column.storageHash))).equals(bytesOf(seed))).toBe(true)
      }
    }
    expect(checkpoints.size + datasets.size).toBeGreaterThan(0)
    await check()
    await platform.store.bytes.sweep({ graceMs: 0 })
    await check()
    const leftovers = await platform.store.prisma.$queryRaw<{ storages: bigint; chunks: bigint }[]>`
      select (select count(*) from "Storage" where not exists (select from "CheckpointStorage" where "storageHash" = sha256)
                and not exists (select from "DatasetColumn" where "storageHash" = sha256)) as storages,
             (select count(*) from "StorageChunk" chunk
                where not exists (select from "Storage" where "contentId" = chunk."contentId")) as chunks`
    expect(leftovers).toEqual([{ storages: 0n, chunks: 0n }])
  }, 300_000)

  test('are put again when a sweep took them between the put and the rows, however long that was', async () => {
    const modelId = await digitsModel(platform)
    const { bytes } = platform.store
    let swept = 0
    // A sweep without grace right behind every put: what an import that takes longer than the grace meets.
    const late: Platform = {
      ...platform,
      store: {
        ...platform.store,
        bytes: {
          ...bytes,
          putAll: async (contents) => {
            const stored = await bytes.putAll(contents)
            swept += (await bytes.sweep({ graceMs: 0 })).storages
            return stored
          },
          put: async (pieces) => {
            const stored = await bytes.put(pieces)
            swept += (await bytes.sweep({ graceMs: 0 })).storages
            return stored
          },
        },
      },
    }
    await bytes.sweep({ graceMs: 0 })
    const values = new Float32Array(400_000).map((_, i) => i)
    const file = safetensorsFile({
      a: { dtype: 'float32', shape: [400_000], data: values },
      b: { dtype: 'float32', shape: [7], data: values.subarray(1, 8) },
    })
    const uploadId = await upload(platform, 'late.safetensors', file)
    const { id } = await importCheckpoint(late, { modelId, uploadId, name: 'late' })
    expect(swept).toBe(2)
    for (const hash of await hashesOf(id)) expect(sha256(await collect(bytes.read(hash)))).toBe(hash)

    const table = safetensorsFile({
      x: { dtype: 'float32', shape: [400_000, 1], data: values.map((value) => value + 1) },
      y: { dtype: 'int64', shape: [400_000], data: new BigInt64Array(400_000) },
    })
    const { id: datasetId } = await importDataset(late, {
      name: 'late',
      uploadId: await upload(platform, 'x.safetensors', table),
    })
    expect(swept).toBeGreaterThanOrEqual(4)
    for (const { storageHash } of await platform.store.prisma.datasetColumn.findMany({ where: { datasetId } }))
      expect(sha256(await collect(bytes.read(storageHash)))).toBe(storageHash)
  })

  test('are not taken by a sweep that looked before they were named', async () => {
    const modelId = await digitsModel(platform)
    const file = safetensorsFile({ w: { dtype: 'float32', shape: [3], data: new Float32Array([0.25, 0.125, 77]) } })
    const uploadId = await upload(platform, 'own.safetensors', file)
    const { id } = await importCheckpoint(platform, { modelId, uploadId, name: randomUUID() })
    const [hash] = await hashesOf(id)
    await deleteCheckpoint(platform, { checkpointId: id })
    // An import that has named the storage and not committed yet.
    await platform.store.prisma.$transaction(async (tx) => {
      expect(await platform.store.bytes.hold(tx, [hash!, 'ab'.repeat(32)])).toEqual(new Set(['ab'.repeat(32)]))
      await platform.store.bytes.sweep({ graceMs: 0 })
    })
    expect(await platform.store.bytes.size(hash!)).toBe(12)
    await platform.store.bytes.sweep({ graceMs: 0 })
    await expect(platform.store.bytes.size(hash!)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
