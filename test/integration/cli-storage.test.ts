import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startTestApi, type TestApi } from './api/server.ts'
import { nograd } from './cli/nograd.ts'
import { checkpoint, dataset, digitsModel } from './usecase/fixture-models.ts'

let api: TestApi
let modelId: string
let checkpointId: string
let datasetId: string
beforeAll(async () => {
  api = await startTestApi()
  modelId = await digitsModel(api.platform)
  checkpointId = `ckp_${await checkpoint(api.platform, modelId, 'digits_cnn.pth')}`
  datasetId = `dat_${await dataset(api.platform, 'digits_test.npz')}`
}, 120_000)
afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

const run = (...args: string[]) => nograd([...args, '--url', api.url])

test('`storage` shows what is stored, as tables and as JSON', async () => {
  const table = await run('storage')
  expect(table.stderr).toBe('')
  expect(table.stdout).toMatch(/stored +2\d\d\.\d KiB +in \d+ storages/)
  expect(table.stdout).toMatch(/reclaimable +0 B/)
  expect(table.stdout).toMatch(/digits \d+ +mdl_/)
  const { storage, models, datasets } = JSON.parse((await run('storage', '--json')).stdout) as {
    storage: { storedBytes: number }
    models: { storage: { uniqueBytes: number } }[]
    datasets: { storage: { uniqueBytes: number } }[]
  }
  const parts = [...models, ...datasets].reduce((sum, { storage: { uniqueBytes } }) => sum + uniqueBytes, 0)
  expect(storage.storedBytes).toBe(parts)
  expect((await run('storage', '--model', `mdl_${modelId}`)).stdout).toContain(checkpointId)
}, 120_000)

test('`verify` ends with 0 when all is well, and with 1 and a line for what is damaged', async () => {
  expect(await run('verify', checkpointId)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/storages, .*: all well/),
  })
  expect(await run('verify', datasetId)).toMatchObject({ code: 0 })
  expect(await run('verify')).toMatchObject({ code: 2 })
  const column = await api.store.prisma.datasetColumn.findFirstOrThrow({ where: { role: 'FEATURE' } })
  const { contentId } = await api.store.prisma.storage.findUniqueOrThrow({ where: { sha256: column.storageHash } })
  await api.store.prisma.storageChunk.deleteMany({ where: { contentId } })
  const all = await run('verify', '--all')
  expect(all.code).toBe(1)
  expect(all.stdout).toMatch(
    new RegExp(`MISSING ${column.storageHash} .*chunk 0 of 1 .* is missing; used by .*${datasetId}`),
  )
  expect(all.stderr).toMatch(/verified .* of /)
  const json = await run('verify', datasetId, '--json')
  expect(json.code).toBe(1)
  expect(JSON.parse(json.stdout)).toMatchObject({ damaged: [{ sha256: column.storageHash, status: 'MISSING' }] })
}, 180_000)

test('`delete` wants a yes, and `gc` frees what it left', async () => {
  expect(await run('delete', 'checkpoint', checkpointId)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--yes'),
  })
  expect(await run('delete', 'run', checkpointId, '--with-runs', '--yes')).toMatchObject({ code: 2 })
  expect(await run('delete', 'dataset', checkpointId, '--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('NOT_FOUND'),
  })
  expect(await run('delete', 'model', `mdl_${modelId}`, '--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/has 1 checkpoint; .*\[CONFLICT\]/),
  })
  expect(await run('delete', 'model', `mdl_${modelId}`, '--with-checkpoints', '--yes')).toMatchObject({
    code: 0,
    stdout: `mdl_${modelId} is deleted, with 1 checkpoint\n`,
  })
  expect(await run('gc')).toMatchObject({ code: 0, stdout: '0 B freed (0 storages)\n' })
  const freed = await run('gc', '--grace', '0', '--json')
  const { garbage } = JSON.parse(freed.stdout) as { garbage: { storages: number; bytes: number } }
  expect(garbage.bytes).toBeGreaterThan(100_000)
  expect(await run('gc', '--grace', 'soon')).toMatchObject({ code: 2 })
  expect(await api.store.prisma.storage.count()).toBe(2)
}, 240_000)
