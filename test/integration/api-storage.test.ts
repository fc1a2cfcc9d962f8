/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-argument
   -- these tests look into the data of any operation */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { randomUUID } from 'node:crypto'
import {
  importCheckpoint,
  importDataset,
  sharesStatement,
  storageShares,
  storageUsage,
} from '../../src/usecase/index.ts'
import { graphql, type Answer } from './api/client.ts'
import { startTestApi, type TestApi } from './api/server.ts'
import { digitsModel } from './usecase/fixture-models.ts'
import { safetensorsFile } from './usecase/safetensors-file.ts'
import { upload } from './usecase/test-platform.ts'

let api: TestApi
let modelId: string
let otherModelId: string
beforeAll(async () => {
  api = await startTestApi()
  modelId = await digitsModel(api.platform)
  otherModelId = await digitsModel(api.platform)
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

const ask = (query: string, variables: Record<string, unknown> = {}): Promise<Answer> =>
  graphql(api.url, query, variables)

/** `count` float32 that nothing else has. */
const weights = (seed: number, count: number) => ({
  dtype: 'float32' as const,
  shape: [count],
  data: Float32Array.from({ length: count }, (_, i) => seed * 1000 + i),
})

async function checkpointOf(model: string, arrays: Parameters<typeof safetensorsFile>[0], name: string = randomUUID()) {
  const uploadId = await upload(api.platform, 'w.safetensors', safetensorsFile(arrays))
  return `ckp_${(await importCheckpoint(api.platform, { modelId: model, uploadId, name })).id}`
}

const damage = async (sha256: string, sql: string) =>
  await api.store.prisma.$executeRawUnsafe(
    `${sql} where "contentId" = (select "contentId" from "Storage" where sha256 = '${sha256}') and "index" = 0`,
  )
const FLIP = `update "StorageChunk" set bytes = set_byte(bytes, 3, (get_byte(bytes, 3) + 1) % 256)`

const SHARE = 'storage { logicalBytes uniqueBytes sharedBytes storages }'
const share = (logicalBytes: number, uniqueBytes: number, sharedBytes: number, storages: number) => ({
  ...{ logicalBytes, uniqueBytes, sharedBytes, storages },
})

describe('what is stored', () => {
  test('is counted: logical, unique, shared and reclaimable, for each and for all', async () => {
    // 400, 800, 1200 and 1600 bytes; `b` and `c` are shared, and `same` is `b` once more.
    const [a, b, c, d] = [weights(1, 100), weights(2, 200), weights(3, 300), weights(4, 400)]
    const first = await checkpointOf(modelId, { a: a, b: b, same: b })
    const second = await checkpointOf(modelId, { b: b, c: c })
    const third = await checkpointOf(otherModelId, { c: c, d: d })
    const table = safetensorsFile({
      // The dataset's feature is the checkpoint's `a`.
      x: { ...a, shape: [100, 1] },
      y: { dtype: 'int64', shape: [100], data: new BigInt64Array(100) },
    })
    const { id } = await importDataset(api.platform, {
      name: 'x',
      uploadId: await upload(api.platform, 'x.safetensors', table),
    })
    const query = `query ($model: ID!, $other: ID!, $dataset: ID!) {
      storageUsage { logicalBytes storedBytes uniqueBytes sharedBytes reclaimableBytes storages reclaimableStorages damagedStorages }
      model(id: $model) { ${SHARE} checkpoints { nodes { id ${SHARE} } } }
      other: model(id: $other) { ${SHARE} checkpoints { nodes { id ${SHARE} } } }
      dataset(id: $dataset) { ${SHARE} }
    }`
    const variables = { model: `mdl_${modelId}`, other: `mdl_${otherModelId}`, dataset: `dat_${id}` }
    const { data } = await ask(query, variables)
    expect(data).toEqual({
      storageUsage: {
        logicalBytes: 400 + 800 + 800 + (800 + 1200) + (1200 + 1600) + (400 + 800),
        // The labels are 100 int64.
        storedBytes: 400 + 800 + 1200 + 1600 + 800,
        uniqueBytes: 1600 + 800,
        sharedBytes: 400 + 800 + 1200,
        ...{ reclaimableBytes: 0, storages: 5, reclaimableStorages: 0, damagedStorages: 0 },
      },
      model: {
        // `b` is used by this model alone.
        storage: share(400 + 800 + 800 + 800 + 1200, 800, 400 + 1200, 3),
        checkpoints: {
          nodes: [
            { id: second, storage: share(2000, 0, 2000, 2) },
            { id: first, storage: share(2000, 0, 1200, 2) },
          ],
        },
      },
      other: {
        storage: share(2800, 1600, 1200, 2),
        checkpoints: { nodes: [{ id: third, storage: share(2800, 1600, 1200, 2) }] },
      },
      dataset: { storage: share(1200, 800, 400, 2) },
    })
    // One statement for all checkpoints of a list, however many there are.
    const from = api.statements.length
    await ask(`{ checkpoints(first: 100) { nodes { ${SHARE} } } }`)
    expect(api.statements.slice(from).filter((sql) => sql.includes('CheckpointStorage'))).toHaveLength(1)

    // What is deleted leaves what others use, and the rest is reclaimable until it is collected.
    const gone = await ask(
      `mutation ($id: ID!) { deleteCheckpoint(input: { checkpointId: $id }) { deleted { id runs checkpoints } errors { code } } }`,
      {
        id: third,
      },
    )
    expect(gone.data.deleteCheckpoint).toEqual({ deleted: { id: third, runs: 0, checkpoints: 1 }, errors: [] })
    const after = await ask(query, variables)
    expect(after.data.storageUsage).toMatchObject({ storedBytes: 4800, reclaimableBytes: 1600, reclaimableStorages: 1 })
    const collect = (input: object) =>
      ask(
        `mutation ($input: CollectGarbageInput!) { collectGarbage(input: $input) { garbage { storages bytes finished } errors { code message } } }`,
        { input },
      )
    expect((await collect({})).data.collectGarbage.garbage).toEqual({ storages: 0, bytes: 0, finished: true })
    expect((await collect({ graceSeconds: 0 })).data.collectGarbage.garbage).toEqual({
      storages: 1,
      bytes: 1600,
      finished: true,
    })
    expect((await collect({ graceSeconds: -1 })).data.collectGarbage).toEqual({
      garbage: null,
      errors: [{ code: 'BAD_INPUT', message: 'the grace is -1; a whole number of seconds from 0 is expected' }],
    })
    expect((await ask(query, variables)).data.storageUsage).toMatchObject({ storedBytes: 3200, reclaimableBytes: 0 })
  })

  test('mutations answer what still uses it, and what there is not', async () => {
    const none = '01990000-0000-7000-8000-00000000ffff'
    for (const [name, argument, id] of [
      ['deleteCheckpoint', 'checkpointId', `ckp_${none}`],
      ['deleteDataset', 'datasetId', `dat_${none}`],
      ['deleteModel', 'modelId', `mdl_${none}`],
      ['deleteRun', 'runId', `run_${none}`],
    ] as const) {
      const { data } = await ask(
        `mutation { ${name}(input: { ${argument}: "${id}" }) { deleted { id } errors { code } } }`,
      )
      expect(data[name]).toEqual({ deleted: null, errors: [{ code: 'NOT_FOUND' }] })
      const wrong = await ask(
        `mutation { ${name}(input: { ${argument}: "upl_${none}" }) { deleted { id } errors { code path } } }`,
      )
      expect(wrong.data[name]).toEqual({ deleted: null, errors: [{ code: 'NOT_FOUND', path: ['input', argument] }] })
    }
    const { data } = await ask(
      `mutation { deleteModel(input: { modelId: "mdl_${modelId}" }) { deleted { id } errors { code message } } }`,
    )
    expect(data.deleteModel.errors).toEqual([
      { code: 'CONFLICT', message: expect.stringMatching(/has 2 checkpoints; delete them with it/) },
    ])
  })

  test('is verified: damage is named, with what uses it, and importing the bytes again repairs it', async () => {
    const arrays = { a: weights(50, 70_000), b: weights(60, 600_000), c: weights(70, 10) }
    const id = await checkpointOf(modelId, arrays, 'verified')
    const verify = async (name: string, input: object) => {
      const { data, errors } = await ask(
        `mutation ($input: ${name[0]!.toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) {
          report { ok totalStorages totalBytes next storages { sha256 bytes status problem usedBy { id } } } errors { code message }
        } }`,
        { input },
      )
      expect(errors).toBeUndefined()
      return data[name]
    }
    const well = (await verify('verifyCheckpoint', { checkpointId: id })).report
    expect(well).toMatchObject({ ok: true, totalStorages: 3, totalBytes: 280_000 + 2_400_000 + 40, next: null })
    expect(well.storages.map(({ status }: { status: string }) => status)).toEqual(['OK', 'OK', 'OK'])

    const hashOf = (bytes: number): string =>
      well.storages.find((storage: { bytes: number }) => storage.bytes === bytes).sha256
    const [flipped, cut] = [hashOf(280_000), hashOf(2_400_000)]
    await damage(flipped, FLIP)
    await damage(cut, 'delete from "StorageChunk"')
    const report = (await verify('verifyCheckpoint', { checkpointId: id })).report
    expect(report.ok).toBe(false)
    expect(
      Object.fromEntries(report.storages.map((storage: { sha256: string }) => [storage.sha256, storage])),
    ).toMatchObject({
      [flipped]: {
        status: 'DAMAGED',
        problem: 'its bytes have another SHA-256 than they are filed under',
        usedBy: [{ id }],
      },
      [cut]: { status: 'MISSING', problem: 'chunk 0 of 3 (bytes 0 to 1048576) is missing', usedBy: [{ id }] },
      [hashOf(40)]: { status: 'OK', problem: null },
    })
    expect((await ask('{ storageUsage { damagedStorages } }')).data.storageUsage.damagedStorages).toBe(2)
    const everything = (await verify('verifyStorages', {})).report
    expect(everything.storages.filter(({ status }: { status: string }) => status !== 'OK')).toHaveLength(2)
    expect(everything.totalStorages).toBe(await api.store.prisma.storage.count())

    await checkpointOf(otherModelId, arrays)
    expect((await verify('verifyCheckpoint', { checkpointId: id })).report.ok).toBe(true)
    expect((await ask('{ storageUsage { damagedStorages } }')).data.storageUsage.damagedStorages).toBe(0)

    // Parts go on where the part before ended.
    const hashes = well.storages.map(({ sha256 }: { sha256: string }) => sha256)
    const rest = (await verify('verifyCheckpoint', { checkpointId: id, after: hashes[0] })).report
    expect(rest.storages.map(({ sha256 }: { sha256: string }) => sha256)).toEqual(hashes.slice(1))
    expect((await verify('verifyCheckpoint', { checkpointId: id, after: 'x' })).errors[0]).toMatchObject({
      code: 'BAD_INPUT',
    })
    const dataset = await api.store.prisma.dataset.findFirstOrThrow()
    expect((await verify('verifyDataset', { datasetId: `dat_${dataset.id}` })).report).toMatchObject({
      ok: true,
      totalStorages: 2,
    })
  })

  test('the API answers others while it verifies', async () => {
    const id = await checkpointOf(modelId, { large: weights(80, 16_000_000) })
    // Turns of the event loop: nobody else's work waits longer than one lasts. (How long that is depends on who else uses the machine.)
    let turns = 0
    let watching = true
    const watch = () => {
      turns++
      if (watching) setImmediate(watch)
    }
    setImmediate(watch)
    const { data } = await ask(
      `mutation ($id: ID!) { verifyCheckpoint(input: { checkpointId: $id }) { report { ok totalBytes } } }`,
      { id },
    )
    watching = false
    expect(data.verifyCheckpoint.report).toEqual({ ok: true, totalBytes: 64_000_000 })
    // One for each 4 MiB at least: on a busy machine several pieces arrive in one turn. A verification in one go would leave a handful.
    expect(turns).toBeGreaterThan(15)
  })
})

describe('with 100,000 storages and 2,000 checkpoints', () => {
  beforeAll(async () => {
    const { prisma } = api.store
    await prisma.$executeRaw`
      insert into "Storage" (sha256, "byteLength", "contentId")
      select encode(sha256(('many ' || i)::bytea), 'hex'), i, gen_random_uuid() from generate_series(1, 100000) i`
    await prisma.$executeRawUnsafe(`
      insert into "Checkpoint" (id, "modelId", name, format, "fileName", "fileSha256", "fileBytes", tree, globals, warnings, "stateDictPath")
      select gen_random_uuid(), case when i % 2 = 0 then '${modelId}' else '${otherModelId}' end::uuid, 'many ' || i, 'SAFETENSORS', 'f',
             repeat('ab', 32), 1, '{}', '[]', '{}', '{}' from generate_series(1, 2000) i`)
    // 100 storages each: the first 20 of them are everybody's.
    await prisma.$executeRaw`
      insert into "CheckpointStorage" ("checkpointId", index, key, dtype, location, "storageHash")
      select id, j, 'k' || j, 'float32', 'cpu',
             encode(sha256(('many ' || case when j < 20 then j + 1 else 21 + (n * 30 + j) % 99980 end)::bytea), 'hex')
      from (select id, row_number() over () as n from "Checkpoint" where name like 'many %') checkpoint, generate_series(0, 49) j`
    await prisma.$executeRaw`analyze`
  }, 300_000)

  test('the totals agree with a plain count', async () => {
    const begun = performance.now()
    const usage = await storageUsage(api.platform)
    expect(performance.now() - begun).toBeLessThan(20_000)
    const [plain] = await api.store.prisma.$queryRaw<{ stored: bigint; shared: bigint; unused: bigint }[]>`
      select sum("byteLength")::bigint as stored,
             coalesce(sum("byteLength") filter (where users > 1), 0)::bigint as shared,
             coalesce(sum("byteLength") filter (where users = 0), 0)::bigint as unused
      from (select "byteLength", (select count(distinct used.owner) from (
              select "checkpointId" as owner from "CheckpointStorage" where "storageHash" = sha256
              union all select "datasetId" from "DatasetColumn" where "storageHash" = sha256
            ) used) as users from "Storage") counted`
    expect(usage).toMatchObject({
      storedBytes: plain!.stored,
      sharedBytes: plain!.shared,
      reclaimableBytes: plain!.unused,
    })
    expect(usage.uniqueBytes + usage.sharedBytes + usage.reclaimableBytes).toBe(usage.storedBytes)
  })

  test('a page of a hundred checkpoints is answered from indexes', async () => {
    const { prisma } = api.store
    const ids = (
      await prisma.checkpoint.findMany({ where: { name: { startsWith: 'many' } }, take: 100, select: { id: true } })
    ).map(({ id }) => id)
    const plan = await prisma.$queryRawUnsafe<{ 'QUERY PLAN': string }[]>(
      `explain ${sharesStatement('Checkpoint')}`,
      ids,
    )
    const text = plan.map((row) => row['QUERY PLAN']).join('\n')
    expect(text).not.toMatch(/Seq Scan on "CheckpointStorage"/)
    expect(text).toMatch(/Index Only Scan using "CheckpointStorage_storageHash_checkpointId_idx"/)
    const begun = performance.now()
    const shares = await storageShares(api.platform, 'Checkpoint', ids)
    expect(performance.now() - begun).toBeLessThan(10_000)
    expect(shares.map(({ storages }) => storages)).toEqual(ids.map(() => 50n))
  })
})
