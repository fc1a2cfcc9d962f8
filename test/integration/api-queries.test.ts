/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-argument
   -- these tests look into the data of any operation */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { encodeCursor } from '../../src/api/cursor.ts'
import { encodeId } from '../../src/api/object-id.ts'
import { graphql } from './api/client.ts'
import { rowWriter } from './api/rows.ts'
import { startTestApi, type TestApi } from './api/server.ts'

const NOBODY = '01890a5d-ac96-774b-bcce-b302099a8057'

describe('queries', () => {
  let api: TestApi
  let write: ReturnType<typeof rowWriter>
  const ask = (query: string, variables?: Record<string, unknown>) => graphql(api.url, query, variables)
  beforeAll(async () => {
    api = await startTestApi()
    write = rowWriter(api.store.prisma)
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
  })

  test('a run with everything around it', async () => {
    const model = await write.model()
    const checkpoint = await write.checkpoint(model.id)
    const dataset = await write.dataset()
    const run = await write.run(checkpoint, dataset.id, { status: 'SUCCEEDED', metrics: 3 })
    await api.store.prisma.run.update({
      where: { id: run.id },
      data: {
        samples: 5n,
        usedDevice: 'cpu',
        usedEngine: 'onnxruntime',
        engineVersion: '1.30.0',
        confusion: [
          [2, 1],
          [0, 2],
        ],
        progress: {
          samples: 5,
          total: 5,
          samplesPerSecond: 100,
          etaSeconds: 0,
          loss: 0.5,
          accuracy: 0.8,
          precision: 0.8,
          recall: 0.8,
          f1: 0.8,
        },
        mapLocation: { tags: { 'cuda:0': 'cpu' } },
        keyMapping: { stripPrefix: 'module.' },
        startedAt: new Date('2026-01-01T00:00:00.000Z'),
        finishedAt: new Date('2026-01-01T00:00:02.500Z'),
      },
    })
    const { data, errors } = await ask(
      `query ($id: ID!) {
        run(id: $id) {
          id name status samples total seq device engine engineVersion durationMs samplesPerSecond startedAt finishedAt
          progress { samples total samplesPerSecond etaSeconds loss accuracy precision recall f1 }
          configuration { device batchSize threshold strict mapLocation mapLocationTags { from to } stripPrefix addPrefix }
          metrics { name average class value reason }
          some: metrics(names: ["accuracy"]) { value }
          confusionMatrix
          error { code message }
          log { message }
          model { id name task classes }
          checkpoint {
            id name format fileName fileSha256 fileBytes stateDictPath locations warnings
            globals { module name offset }
            tensors { key dtype shape stride bytes location storageSha256 }
            tree
            model { id }
          }
          dataset { id name version format fileName rows labelNames columns { name role dtype shape min max } }
        }
      }`,
      { id: encodeId('Run', run.id) },
    )
    expect(errors).toBeUndefined()
    expect(data.run).toEqual({
      id: encodeId('Run', run.id),
      name: null,
      status: 'SUCCEEDED',
      samples: 5,
      total: 5,
      seq: 0,
      device: 'cpu',
      engine: 'onnxruntime',
      engineVersion: '1.30.0',
      durationMs: 2500,
      samplesPerSecond: 2,
      startedAt: '2026-01-01T00:00:00.000Z',
      finishedAt: '2026-01-01T00:00:02.500Z',
      progress: {
        samples: 5,
        total: 5,
        samplesPerSecond: 100,
        etaSeconds: 0,
        loss: 0.5,
        accuracy: 0.8,
        precision: 0.8,
        recall: 0.8,
        f1: 0.8,
      },
      configuration: {
        device: 'auto',
        batchSize: 64,
        threshold: 0.5,
        strict: true,
        mapLocation: null,
        mapLocationTags: [{ from: 'cuda:0', to: 'cpu' }],
        stripPrefix: 'module.',
        addPrefix: null,
      },
      metrics: [
        { name: 'accuracy', average: null, class: null, value: 0.5, reason: null },
        { name: 'f1', average: 'macro', class: null, value: 0.5, reason: null },
        { name: 'f1', average: 'macro', class: null, value: 0.5, reason: null },
      ],
      some: [{ value: 0.5 }],
      confusionMatrix: [
        [2, 1],
        [0, 2],
      ],
      error: null,
      log: [],
      model: { id: encodeId('Model', model.id), name: model.name, task: 'MULTICLASS', classes: ['no', 'yes'] },
      checkpoint: {
        id: encodeId('Checkpoint', checkpoint.id),
        name: checkpoint.name,
        format: 'TORCH_ZIP',
        fileName: 'weights.pth',
        fileSha256: 'ab'.repeat(32),
        fileBytes: 1000,
        stateDictPath: [],
        locations: ['cuda:0'],
        warnings: [],
        globals: [{ module: 'torch._utils', name: '_rebuild_tensor_v2', offset: 12 }],
        tensors: [
          {
            key: 'weight',
            dtype: 'float32',
            shape: [2, 4],
            stride: [4, 1],
            bytes: 32,
            location: 'cuda:0',
            storageSha256: expect.any(String),
          },
          {
            key: 'bias',
            dtype: 'float32',
            shape: [2],
            stride: [1],
            bytes: 8,
            location: 'cuda:0',
            storageSha256: expect.any(String),
          },
        ],
        tree: expect.objectContaining({ root: 0 }),
        model: { id: encodeId('Model', model.id) },
      },
      dataset: {
        id: encodeId('Dataset', dataset.id),
        name: dataset.name,
        version: 1,
        format: 'npz',
        fileName: 'test.npz',
        rows: 5,
        labelNames: [],
        columns: [
          { name: 'x', role: 'FEATURE', dtype: 'float32', shape: [4], min: -1, max: 1 },
          { name: 'y', role: 'LABEL', dtype: 'int64', shape: [], min: 0, max: 1 },
        ],
      },
    })
  })

  test('a FAILED run says why, and keeps its log in order, the last lines first to be kept', async () => {
    const checkpoint = await write.checkpoint((await write.model()).id)
    const run = await write.run(checkpoint, (await write.dataset()).id, { status: 'FAILED' })
    await api.store.prisma.run.update({
      where: { id: run.id },
      data: { errorCode: 'ENGINE_FAILED', errorMessage: 'no memory' },
    })
    await api.store.prisma.runEvent.createMany({
      data: Array.from({ length: 10 }, (_value, at) => ({
        runId: run.id,
        seq: at + 1,
        kind: at % 2 === 0 ? ('LOG' as const) : ('PROGRESS' as const),
        payload: at % 2 === 0 ? { level: 'info', message: `line ${at}` } : {},
      })),
    })
    const { data } = await ask(
      'query ($id: ID!) { run(id: $id) { error { code message } log { level message } last: log(last: 2) { message } } }',
      {
        id: encodeId('Run', run.id),
      },
    )
    expect(data.run).toEqual({
      error: { code: 'ENGINE_FAILED', message: 'no memory' },
      log: [0, 2, 4, 6, 8].map((at) => ({ level: 'info', message: `line ${at}` })),
      last: [{ message: 'line 6' }, { message: 'line 8' }],
    })
    for (const last of [0, -1, 1001])
      expect(
        (
          await ask('query ($id: ID!, $last: Int) { run(id: $id) { log(last: $last) { at } } }', {
            id: encodeId('Run', run.id),
            last,
          })
        ).errors,
      ).toMatchObject([
        { extensions: { code: 'BAD_INPUT' }, message: `\`last\` is ${last}; 1 to 1000 lines can be asked for` },
      ])
  })

  test('node finds every kind of object', async () => {
    const model = await write.model()
    const checkpoint = await write.checkpoint(model.id)
    const dataset = await write.dataset()
    const run = await write.run(checkpoint, dataset.id)
    const worker = await api.store.prisma.worker.create({
      data: { hostname: 'here', pid: 1, lockKey: 99n, devices: [] },
    })
    for (const [kind, id] of [
      ['Model', model.id],
      ['Architecture', model.architectureId],
      ['Checkpoint', checkpoint.id],
      ['Dataset', dataset.id],
      ['Run', run.id],
      ['Worker', worker.id],
    ] as const) {
      const { data } = await ask(`query ($id: ID!) { node(id: $id) { __typename id ... on ${kind} { itself: id } } }`, {
        id: encodeId(kind, id),
      })
      expect(data.node).toEqual({ __typename: kind, id: encodeId(kind, id), itself: encodeId(kind, id) })
    }
    await api.store.prisma.worker.delete({ where: { id: worker.id } })
  })

  test('an id that nothing has is null, with NOT_FOUND', async () => {
    for (const [field, kind] of [
      ['node', 'Run'],
      ['node', 'Upload'],
      ['model', 'Model'],
      ['checkpoint', 'Checkpoint'],
      ['dataset', 'Dataset'],
      ['run', 'Run'],
    ] as const) {
      const id = encodeId(kind, NOBODY)
      const { status, data, errors } = await ask(`query ($id: ID!) { ${field}(id: $id) { id } }`, { id })
      expect([status, data]).toEqual([200, { [field]: null }])
      expect(errors).toMatchObject([
        {
          message: `there is no ${kind.toLowerCase()} with the id ${id}`,
          path: [field],
          extensions: { code: 'NOT_FOUND' },
        },
      ])
    }
    const wrong = await ask('query ($id: ID!) { run(id: $id) { id } }', { id: encodeId('Model', NOBODY) })
    expect(wrong.errors).toMatchObject([
      {
        message: expect.stringContaining('is the id of a model; the id of a run begins with run_'),
        extensions: { code: 'NOT_FOUND' },
      },
    ])
    expect((await ask('{ node(id: "1 or 1=1") { id } }')).errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }])
  })

  test('a name is a question: the newest version, or null', async () => {
    const model = await write.model()
    await write.dataset('versioned', 1)
    await write.dataset('versioned', 2)
    const { data, errors } = await ask(
      'query ($name: String!) { model(name: $name) { name } none: model(name: "?") { id } dataset(name: "versioned") { version } nothing: dataset(name: "?") { id } }',
      {
        name: model.name,
      },
    )
    expect(errors).toBeUndefined()
    expect(data).toEqual({ model: { name: model.name }, none: null, dataset: { version: 2 }, nothing: null })
    for (const query of ['{ model { id } }', '{ dataset(id: "a", name: "b") { id } }'])
      expect((await ask(query)).errors).toMatchObject([
        { message: 'give either `id` or `name`', extensions: { code: 'BAD_INPUT' } },
      ])
  })

  describe('a connection', () => {
    const RUNS = `query ($filter: RunFilter, $first: Int, $after: String) {
      runs(filter: $filter, first: $first, after: $after) {
        nodes { id } edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      }
    }`

    test('is walked page by page, newest first, each item once', async () => {
      const model = await write.model()
      const checkpoint = await write.checkpoint(model.id)
      const dataset = await write.dataset()
      const ids: string[] = []
      for (let at = 0; at < 7; at++) ids.unshift(encodeId('Run', (await write.run(checkpoint, dataset.id)).id))
      ids.sort().reverse()
      const pages = []
      let after: string | null = null
      for (;;) {
        const { data } = await ask(RUNS, { filter: { modelId: encodeId('Model', model.id) }, first: 3, after })
        pages.push(data.runs)
        expect(data.runs.edges.map((edge: { node: unknown }) => edge.node)).toEqual(data.runs.nodes)
        if (!data.runs.pageInfo.hasNextPage) break
        after = data.runs.pageInfo.endCursor
      }
      expect(pages.flatMap(({ nodes }) => nodes.map(({ id }: { id: string }) => id))).toEqual(ids)
      expect(pages.map(({ pageInfo }) => [pageInfo.hasPreviousPage, pageInfo.hasNextPage])).toEqual([
        [false, true],
        [true, true],
        [true, false],
      ])
      // The same pages inside the model, the checkpoint and the dataset.
      for (const [field, id] of [
        ['model', encodeId('Model', model.id)],
        ['checkpoint', encodeId('Checkpoint', checkpoint.id)],
        ['dataset', encodeId('Dataset', dataset.id)],
      ])
        for (const [at, page] of pages.entries()) {
          const inside = await ask(
            `query ($id: ID!, $after: String) { ${field}(id: $id) { runs(first: 3, after: $after) { nodes { id } edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }`,
            { id, after: pages[at - 1]?.pageInfo.endCursor ?? null },
          )
          expect(inside.data[field!].runs).toEqual(page)
        }
      const past = await ask(RUNS, {
        filter: { modelId: encodeId('Model', model.id) },
        after: pages.at(-1).pageInfo.endCursor,
      })
      expect(past.data.runs).toEqual({
        nodes: [],
        edges: [],
        pageInfo: { hasNextPage: false, hasPreviousPage: true, startCursor: null, endCursor: null },
      })
    })

    test.each(['models', 'checkpoints', 'datasets'] as const)('of %s is looked through by name', async (list) => {
      const { prisma } = api.store
      const row = {
        models: () => write.model(),
        checkpoints: async () => write.checkpoint((await write.model()).id),
        datasets: () => write.dataset(),
      }
      const rename = {
        models: (id: string, name: string) => prisma.model.update({ where: { id }, data: { name } }),
        checkpoints: (id: string, name: string) => prisma.checkpoint.update({ where: { id }, data: { name } }),
        datasets: (id: string, name: string) => prisma.dataset.update({ where: { id }, data: { name } }),
      }
      const names = ['ResNet 50%', 'a resnet_18', 'VGG', 'resnet-50']
      for (const name of names) await rename[list]((await row[list]()).id, name)
      const FIND = `query ($name: String, $after: String) { ${list}(nameContains: $name, first: 2, after: $after) { nodes { name } pageInfo { endCursor hasNextPage } } }`
      const found = async (name: string, after: string | null = null): Promise<[string[], string | null]> => {
        const { nodes, pageInfo } = (await ask(FIND, { name, after })).data[list]
        return [nodes.map((node: { name: string }) => node.name), pageInfo.hasNextPage ? pageInfo.endCursor : null]
      }
      const [first, cursor] = await found('resnet')
      expect(first).toEqual(['resnet-50', 'a resnet_18'])
      expect(await found('resnet', cursor)).toEqual([['ResNet 50%'], null])
      // No wildcards.
      expect(await found('0%')).toEqual([['ResNet 50%'], null])
      expect(await found('t_')).toEqual([['a resnet_18'], null])
      expect(await found('nothing is called so')).toEqual([[], null])
    })

    test('of runs is filtered by everything that is given', async () => {
      const model = await write.model()
      const [one, two] = [await write.checkpoint(model.id), await write.checkpoint(model.id)]
      const [here, there] = [await write.dataset(), await write.dataset()]
      const wanted = await write.run(one, here.id, { status: 'SUCCEEDED' })
      await write.run(one, here.id, { status: 'FAILED' })
      await write.run(one, there.id, { status: 'SUCCEEDED' })
      await write.run(two, here.id, { status: 'SUCCEEDED' })
      const filter = {
        modelId: encodeId('Model', model.id),
        checkpointId: encodeId('Checkpoint', one.id),
        datasetId: encodeId('Dataset', here.id),
        status: ['SUCCEEDED'],
      }
      expect((await ask(RUNS, { filter })).data.runs.nodes).toEqual([{ id: encodeId('Run', wanted.id) }])
      expect(
        (await ask(RUNS, { filter: { ...filter, status: ['SUCCEEDED', 'FAILED'] } })).data.runs.nodes,
      ).toHaveLength(2)
      expect((await ask(RUNS, { filter: { ...filter, status: [] } })).data.runs.nodes).toEqual([])
      expect((await ask(RUNS, { filter: { modelId: encodeId('Model', NOBODY) } })).data.runs.nodes).toEqual([])
      expect((await ask(RUNS, { filter: { modelId: encodeId('Run', NOBODY) } })).errors).toMatchObject([
        { extensions: { code: 'NOT_FOUND' } },
      ])
    })

    test.each(['models', 'checkpoints', 'datasets', 'runs'])(
      '%s has pages of 1 to 100, and cursors of its own',
      async (field) => {
        const query = `query ($first: Int, $after: String) { ${field}(first: $first, after: $after) { nodes { id } } }`
        for (const first of [0, -1, 101, 2 ** 31 - 1])
          expect((await ask(query, { first })).errors).toMatchObject([
            { message: `\`first\` is ${first}; a page has 1 to 100 items`, extensions: { code: 'BAD_INPUT' } },
          ])
        const other = encodeCursor(field === 'models' ? 'Run' : 'Model', NOBODY)
        for (const after of ['', 'x', "'; drop table", other, encodeCursor('Run', NOBODY).slice(1)])
          expect((await ask(query, { after })).errors).toMatchObject([{ extensions: { code: 'BAD_INPUT' } }])
        expect((await ask(query, { first: 100, after: null })).errors).toBeUndefined()
        // Aliases are two pages, not one.
        const two = await ask(`{ a: ${field}(first: 1) { nodes { id } } b: ${field}(first: 2) { nodes { id } } }`)
        expect(two.data.b.nodes.length).toBeGreaterThan(two.data.a.nodes.length)
      },
    )
  })
})
