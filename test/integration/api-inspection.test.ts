import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { randomUUID } from 'node:crypto'
import { encodeId } from '../../src/api/object-id.ts'
import { viewHash } from '../../src/usecase/index.ts'
import { graphql } from './api/client.ts'
import { rowWriter } from './api/rows.ts'
import { startTestApi, type TestApi } from './api/server.ts'

const TENSORS = `query ($id: ID!) {
  checkpoint(id: $id) {
    statisticsStatus statisticsError { code message }
    tensors { key sharedWith inOtherCheckpoints statistics { elements mean std nan histogram { edges counts } } }
  }
}`

describe('looking into checkpoints over GraphQL', () => {
  let api: TestApi
  let write: ReturnType<typeof rowWriter>
  beforeAll(async () => {
    api = await startTestApi()
    write = rowWriter(api.store.prisma)
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
  })

  async function newCheckpoint() {
    const { id: modelId } = await write.model()
    const { id } = await write.checkpoint(modelId)
    return { id, modelId, global: encodeId('Checkpoint', id) }
  }
  const ask = async (query: string, variables: Record<string, unknown>) => {
    const { data, errors } = (await graphql(api.url, query, variables)) as {
      data?: { checkpoint?: never }
      errors?: readonly { message: string; extensions: { code: string } }[]
    }
    return { data, error: errors?.[0] }
  }

  test('statistics are null until they are there, then those of the view', async () => {
    const { id, global } = await newCheckpoint()
    const { prisma } = api.store
    const before = await ask(TENSORS, { id: global })
    expect(before.data).toMatchObject({
      checkpoint: {
        statisticsStatus: 'PENDING',
        statisticsError: null,
        tensors: [
          { key: 'weight', sharedWith: ['bias'], inOtherCheckpoints: false, statistics: null },
          { key: 'bias', sharedWith: ['weight'], inOtherCheckpoints: false, statistics: null },
        ],
      },
    })

    const tensor = await prisma.tensor.findFirstOrThrow({
      where: { checkpointId: id, index: 1 },
      include: { storage: true },
    })
    const { storageHash } = tensor.storage
    const counts = Array.from({ length: 4 }, (_, bin) => bin)
    await prisma.tensorStatistics.create({
      data: {
        viewHash: viewHash({ ...tensor, storageHash }),
        storageHash,
        value: { elements: 6, mean: 1, std: null, nan: 2, min: -1, max: 3, counts },
      },
    })
    await prisma.inspection.create({
      data: { kind: 'STATISTICS', checkpointId: id, status: 'READY', finishedAt: new Date() },
    })
    // Another checkpoint with the same storage.
    const other = await newCheckpoint()
    await prisma.checkpointStorage.updateMany({ where: { checkpointId: other.id }, data: { storageHash } })
    const after = await ask(TENSORS, { id: global })
    expect(after.data).toMatchObject({
      checkpoint: {
        statisticsStatus: 'READY',
        tensors: [
          { statistics: null, inOtherCheckpoints: true },
          { statistics: { elements: 6, mean: 1, std: null, nan: 2, histogram: { edges: [-1, 0, 1, 2, 3], counts } } },
        ],
      },
    })
  })

  test('say why they failed', async () => {
    const { id, global } = await newCheckpoint()
    await api.store.prisma.inspection.create({
      data: {
        ...{ kind: 'STATISTICS', checkpointId: id, status: 'FAILED', finishedAt: new Date() },
        ...{ errorCode: 'WORKER_LOST', errorMessage: 'the worker that computed it died' },
      },
    })
    expect((await ask(TENSORS, { id: global })).data).toMatchObject({
      checkpoint: {
        statisticsStatus: 'FAILED',
        statisticsError: { code: 'WORKER_LOST', message: 'the worker that computed it died' },
      },
    })
  })

  test('take no more statements for many tensors than for few', async () => {
    const { id, global } = await newCheckpoint()
    const before = api.statements.length
    await ask(TENSORS, { id: global })
    const few = api.statements.length - before
    const { prisma } = api.store
    const view = {
      ...{ dtype: 'float32', shape: [1n], stride: [1n], requiresGrad: false, isParameter: false },
      storageIndex: 0,
    }
    const indexes = Array.from({ length: 50 }, (_, i) => i + 2)
    await prisma.tensor.createMany({
      data: indexes.map((index) => ({ checkpointId: id, index, storageOffset: BigInt(index), ...view })),
    })
    await prisma.stateDictEntry.createMany({
      data: indexes.map((index) => ({ checkpointId: id, position: index, key: `w${index}`, tensorIndex: index })),
    })
    const then = api.statements.length
    const { data } = await ask(TENSORS, { id: global })
    expect((data as unknown as { checkpoint: { tensors: unknown[] } }).checkpoint.tensors).toHaveLength(52)
    expect(api.statements.length - then).toBe(few)
  })

  const VALUES = `query ($id: ID!, $path: [String!], $first: Int, $after: Int) {
    checkpoint(id: $id) {
      values(path: $path, first: $first, after: $after) {
        total hasNextPage
        nodes { key position kind preview childCount tensor { index dtype shape } children(first: 2) { key preview } }
      }
    }
  }`

  test('a tree that is too large to answer at once can be browsed', async () => {
    const { id, global } = await newCheckpoint()
    // {'state': [0, 1, …], 7: 'ü\\0', 'w': tensor 0}
    const numbers = Array.from({ length: 120_000 }, (_, value) => ({ kind: 'int', value }))
    const list = { kind: 'list', items: numbers.map((_node, i) => i) }
    const at = numbers.length
    const nodes = [
      ...numbers,
      list,
      { kind: 'string', value: 'state' },
      { kind: 'int', value: 7 },
      { kind: 'string', value: 'ü\u0000\ud800\\u0041/u/b"' },
      { kind: 'string', value: 'w' },
      { kind: 'tensor', tensor: 0 },
      {
        kind: 'dict',
        entries: [
          [at + 1, at],
          [at + 2, at + 3],
          [at + 4, at + 5],
        ],
      },
    ]
    await api.store.prisma.checkpoint.update({ where: { id }, data: { tree: { nodes, root: at + 6 } } })

    const whole = await ask('query ($id: ID!) { checkpoint(id: $id) { tree } }', { id: global })
    expect(whole.error).toMatchObject({
      message: expect.stringMatching(/^the value tree has \d+ bytes, at most 4000000 .* Checkpoint\.values/),
      extensions: { code: 'LIMIT_EXCEEDED' },
    })
    expect((await ask(VALUES, { id: global })).data).toMatchObject({
      checkpoint: {
        values: {
          total: 3,
          hasNextPage: false,
          nodes: [
            {
              ...{ key: 'state', kind: 'list', preview: 'list of 120000', childCount: 120_000, tensor: null },
              children: [
                { key: '0', preview: '0' },
                { key: '1', preview: '1' },
              ],
            },
            {
              key: '7',
              position: 1,
              kind: 'string',
              preview: JSON.stringify('ü\u0000\ud800\\u0041/u/b"'),
              childCount: 0,
              children: [],
            },
            { key: 'w', kind: 'tensor', tensor: { index: 0, dtype: 'float32', shape: [2, 4] } },
          ],
        },
      },
    })
    const last = await ask(VALUES, { id: global, path: ['state'], first: 1000, after: 119_997 })
    expect(last.data).toMatchObject({
      checkpoint: {
        values: {
          total: 120_000,
          hasNextPage: false,
          nodes: [{ key: '119998' }, { key: '119999', preview: '119999' }],
        },
      },
    })
    const deep = await ask(VALUES, { id: global, path: ['state', '5'] })
    expect(deep.data).toMatchObject({ checkpoint: { values: { total: 0, nodes: [] } } })
    expect((await ask(VALUES, { id: global, path: ['state', 'x'] })).error?.extensions.code).toBe('NOT_FOUND')
    expect((await ask(VALUES, { id: global, first: 1001 })).error?.extensions.code).toBe('BAD_INPUT')
    expect((await ask(VALUES, { id: global, after: -1 })).error?.extensions.code).toBe('BAD_INPUT')
  })

  test('two checkpoints are compared, no more and no fewer', async () => {
    const COMPARE = `query ($ids: [ID!]!) {
      compareCheckpoints(ids: $ids) {
        status error { code } base { id } other { id } added removed equalTensors equalShare
        storages { base other common share }
        tensors { key change baseShape otherDtype distance { l2 cosineSimilarity } reason }
        unchanged: tensors(changes: [UNCHANGED]) { key }
      }
    }`
    const a = await newCheckpoint()
    const b = await newCheckpoint()
    const asked = async (...ids: readonly string[]) => await ask(COMPARE, { ids })
    expect((await asked(a.global)).error?.extensions.code).toBe('BAD_INPUT')
    expect((await asked(a.global, b.global, b.global)).error?.extensions.code).toBe('BAD_INPUT')
    expect((await asked(a.global, encodeId('Checkpoint', randomUUID()))).error?.extensions.code).toBe('NOT_FOUND')
    expect((await asked(a.global, b.global)).data).toMatchObject({
      compareCheckpoints: {
        ...{ status: 'PENDING', base: { id: a.global }, other: { id: b.global }, equalTensors: 0, equalShare: 0 },
        tensors: [{ key: 'weight', change: null, distance: null }, { key: 'bias' }],
        unchanged: [],
      },
    })
    // The same storage: equal without a look at the bytes, and no work for a worker.
    const { storageHash } = await api.store.prisma.checkpointStorage.findFirstOrThrow({ where: { checkpointId: a.id } })
    const c = await newCheckpoint()
    await api.store.prisma.checkpointStorage.updateMany({ where: { checkpointId: c.id }, data: { storageHash } })
    const inspections = await api.store.prisma.inspection.count()
    expect((await asked(a.global, c.global)).data).toMatchObject({
      compareCheckpoints: {
        ...{ status: 'READY', equalTensors: 2, equalShare: 1, storages: { base: 40, other: 40, common: 40, share: 1 } },
        tensors: [{ change: 'UNCHANGED', distance: { l2: 0, cosineSimilarity: 1 } }, { change: 'UNCHANGED' }],
        unchanged: [{ key: 'weight' }, { key: 'bias' }],
      },
    })
    expect(await api.store.prisma.inspection.count()).toBe(inspections)
  })
})
