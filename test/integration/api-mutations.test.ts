/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-argument
   -- these tests look into the data of any operation */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readdir } from 'node:fs/promises'
import { collect, graphql, socketClient } from './api/client.ts'
import { startTestApi, type TestApi } from './api/server.ts'
import { fixture, storedZip, upload, uploadFixture } from './api/upload.ts'
import { startTestWorker, type TestWorker } from './worker/test-worker.ts'

const NOBODY = '01890a5d-ac96-774b-bcce-b302099a8057'

const MUTATIONS = {
  createModel: `mutation ($input: CreateModelInput!) {
    createModel(input: $input) { model { id name task classes architecture { id source parameterCount layers } } errors { code message path } }
  }`,
  createCheckpoint: `mutation ($input: CreateCheckpointInput!) {
    createCheckpoint(input: $input) { checkpoint { id name stateDictPath binding { ok missingKeys unexpectedKeys proposals { stripPrefix } } } errors { code message path } }
  }`,
  createDataset: `mutation ($input: CreateDatasetInput!) {
    createDataset(input: $input) { dataset { id name version rows labelNames } errors { code message path } }
  }`,
  startRun: `mutation ($input: StartRunInput!) {
    startRun(input: $input) {
      run { id status }
      binding { ok message missingKeys unexpectedKeys sizeMismatches { key found expected } casts { key from to } refused { key dtype } proposals { description stripPrefix addPrefix stateDictPath strict } }
      errors { code message path }
    }
  }`,
  cancelRun: `mutation ($input: CancelRunInput!) { cancelRun(input: $input) { run { id status } errors { code message path } } }`,
}

describe('mutations', () => {
  let api: TestApi
  let worker: TestWorker
  let layers: unknown
  let modelId: string
  let checkpointId: string
  let datasetId: string
  beforeAll(async () => {
    api = await startTestApi()
    worker = await startTestWorker(api.platform, api.platform.spoolDir)
    layers = JSON.parse(Buffer.from(await fixture('digits_cnn.layers.json')).toString())
    modelId = (await must('createModel', { name: 'digits', task: 'MULTICLASS', architecture: { layers } })).model.id
    checkpointId = (
      await must('createCheckpoint', { modelId, uploadId: await uploadFixture(api.url, 'digits_cnn.pth') })
    ).checkpoint.id
    datasetId = (
      await must('createDataset', { name: 'digits test', uploadId: await uploadFixture(api.url, 'digits_test.npz') })
    ).dataset.id
  })
  afterAll(async () => {
    await worker[Symbol.asyncDispose]()
    await api[Symbol.asyncDispose]()
  })

  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  async function act(name: keyof typeof MUTATIONS, input: unknown): Promise<any> {
    const { data, errors } = await graphql(api.url, MUTATIONS[name], { input })
    expect(errors).toBeUndefined()
    return data[name]
  }

  /** A mutation that has to succeed. */
  async function must(name: keyof typeof MUTATIONS, input: unknown) {
    const answer = await act(name, input)
    expect(answer.errors).toEqual([])
    return answer
  }

  /** The one error of a mutation that has to fail, after a look at what it left. */
  async function refused(name: keyof typeof MUTATIONS, input: unknown) {
    const before = await rows()
    const { errors, ...answer } = await act(name, input)
    expect(
      answer[
        {
          createModel: 'model',
          createCheckpoint: 'checkpoint',
          createDataset: 'dataset',
          startRun: 'run',
          cancelRun: 'run',
        }[name]
      ],
    ).toBeNull()
    expect(errors).toHaveLength(1)
    expect(await rows()).toEqual(before)
    return { ...errors[0], binding: answer.binding } as {
      code: string
      message: string
      path: string[] | null
      binding: unknown
    }
  }

  const rows = async () => {
    const { prisma } = api.store
    return Promise.all([
      prisma.model.count(),
      prisma.architecture.count(),
      prisma.checkpoint.count(),
      prisma.tensor.count(),
      prisma.dataset.count(),
      prisma.datasetColumn.count(),
      prisma.run.count(),
      prisma.shard.count(),
    ])
  }

  test('a run from nothing to its metrics, which are scikit-learn’s', async () => {
    const { run, binding } = await must('startRun', { checkpointId, datasetId, name: 'first', batchSize: 7 })
    expect(binding).toMatchObject({ ok: true, message: '<All keys matched successfully>', proposals: [] })
    const client = socketClient(api.url)
    const items = await collect(
      client,
      'subscription ($id: ID!) { runProgress(id: $id) { status run { metrics { name average class value } } } }',
      { id: run.id },
    )
    await client.dispose()
    const last = items.at(-1)!.data!['runProgress'] as {
      status: string
      run: { metrics: { name: string; average: string | null; class: string | null; value: number }[] }
    }
    expect(last.status).toBe('SUCCEEDED')
    const expected = JSON.parse(Buffer.from(await fixture('expected.json')).toString()) as {
      cases: { digits_cnn: { metrics: Record<string, number> } }
    }
    const { accuracy, f1_macro: f1 } = expected.cases.digits_cnn.metrics
    const value = (name: string, average: string | null) =>
      last.run.metrics.find((metric) => metric.name === name && metric.average === average && metric.class === null)!
        .value
    expect(Math.abs(value('accuracy', null) - accuracy!)).toBeLessThan(1e-6)
    expect(Math.abs(value('f1', 'macro') - f1!)).toBeLessThan(1e-6)
    expect(await must('cancelRun', { runId: run.id })).toEqual({ run: { id: run.id, status: 'SUCCEEDED' }, errors: [] })
  })

  test('runs that were started one after the other are listed the other way round', async () => {
    const ids: string[] = []
    for (let at = 0; at < 6; at++) ids.unshift((await must('startRun', { checkpointId, datasetId })).run.id)
    const { data } = await graphql(api.url, '{ runs(first: 6) { nodes { id } } }')
    expect(data.runs.nodes.map(({ id }: { id: string }) => id)).toEqual(ids)
  })

  test('workers and devices are those that live', async () => {
    const { data } = await graphql(
      api.url,
      '{ workers { id hostname pid startedAt lastSeenAt devices { id engine } } devices { id engine version description memoryBytes } }',
    )
    expect(data.workers).toHaveLength(1)
    expect(data.workers[0]).toMatchObject({ pid: process.pid, devices: [{ id: 'cpu', engine: 'onnxruntime' }] })
    expect(data.devices).toMatchObject([
      { id: 'cpu', engine: 'onnxruntime', version: expect.stringMatching(/^\d+\./), description: expect.any(String) },
    ])
  })

  describe('createModel', () => {
    test('takes layers, an ONNX file, and an architecture that is there', async () => {
      const onnx = await must('createModel', {
        name: 'from onnx',
        description: 'text',
        task: 'MULTICLASS',
        classes: Array.from('abcdefghij'),
        architecture: { uploadId: await uploadFixture(api.url, 'digits_cnn.onnx') },
      })
      expect(onnx.model).toMatchObject({
        name: 'from onnx',
        classes: Array.from('abcdefghij'),
        architecture: { source: 'ONNX', layers: null },
      })
      const again = await must('createModel', {
        name: 'again',
        task: 'MULTICLASS',
        architecture: { architectureId: onnx.model.architecture.id },
      })
      expect(again.model.architecture).toEqual(onnx.model.architecture)
      const list = await must('createModel', {
        name: 'from a file of layers',
        task: 'MULTICLASS',
        architecture: { uploadId: await uploadFixture(api.url, 'digits_cnn.layers.json') },
      })
      expect(list.model.architecture).toMatchObject({ source: 'LAYERS', layers })
      const { data } = await graphql(
        api.url,
        `{ node(id: "${list.model.architecture.id}") { ... on Architecture { inputs { name dtype shape } outputs { shape } nodes { op outputShape parameterCount } parameters { keys dtype shape optional } } } }`,
      )
      expect(data.node.inputs).toMatchObject([{ dtype: 'float32', shape: ['N', '1', '8', '8'] }])
      expect(data.node.outputs).toMatchObject([{ shape: ['N', '10'] }])
      expect(data.node.nodes[0]).toEqual({ op: 'Conv', outputShape: ['N', '16', '8', '8'], parameterCount: 160 })
      expect(data.node.parameters).toContainEqual({
        keys: ['0.weight'],
        dtype: 'float32',
        shape: [16, 1, 3, 3],
        optional: false,
      })
    })

    test.each([
      ['a name that is taken', { name: 'digits' }, 'CONFLICT', 'digits'],
      ['an empty name', { name: '  ' }, 'BAD_INPUT', 'empty'],
      ['a name that is too long', { name: 'x'.repeat(300) }, 'BAD_INPUT', '300'],
      [
        'an unknown layer',
        { architecture: { layers: { layers: [{ type: 'Lstm' }], input: [4] } } },
        'ARCHITECTURE_UNSUPPORTED_OPERATOR',
        'Lstm',
      ],
      [
        'layers that do not fit each other',
        { architecture: { layers: { layers: [{ type: 'Linear', in_features: 5, out_features: 2 }], input: [4] } } },
        'ARCHITECTURE_INVALID',
        '5',
      ],
      ['no layers', { architecture: { layers: 'hello' } }, 'ARCHITECTURE_INVALID', ''],
      ['too few classes', { classes: ['a'] }, 'BAD_INPUT', ''],
    ])('refuses %s', async (_name, input, code, message) => {
      const error = await refused('createModel', {
        name: 'another',
        task: 'MULTICLASS',
        architecture: { layers },
        ...input,
      })
      expect(error).toMatchObject({ code, message: expect.stringContaining(message) })
    })

    test('refuses ids of nothing and of something else, and names the field', async () => {
      for (const [architecture, field] of [
        [{ uploadId: `upl_${NOBODY}` }, null],
        [{ uploadId: modelId }, 'uploadId'],
        [{ architectureId: `arc_${NOBODY}` }, null],
        [{ architectureId: '7' }, 'architectureId'],
      ] as const)
        expect(await refused('createModel', { name: 'another', task: 'BINARY', architecture })).toMatchObject({
          code: 'NOT_FOUND',
          path: field === null ? null : ['input', 'architecture', field],
        })
    })

    test('takes exactly one kind of architecture', async () => {
      for (const architecture of [{}, { layers, uploadId: 'x' }, { layers: null }]) {
        const { status, errors } = await graphql(api.url, MUTATIONS.createModel, {
          input: { name: 'x', task: 'BINARY', architecture },
        })
        expect([status, errors![0]!.extensions.code]).toEqual([400, 'QUERY_INVALID'])
      }
    })

    test('refuses an ONNX file with an operator that nobody knows', async () => {
      const bytes = Buffer.from(await fixture('digits_cnn.onnx'))
      // Field 4 of a NodeProto: op_type.
      bytes.write('MaxPoof', bytes.indexOf('\x22\x07MaxPool') + 2)
      const uploadId = await upload(api.url, 'odd.onnx', bytes)
      expect(
        await refused('createModel', { name: 'odd', task: 'MULTICLASS', architecture: { uploadId } }),
      ).toMatchObject({
        code: 'ARCHITECTURE_UNSUPPORTED_OPERATOR',
        message: expect.stringContaining('MaxPoof'),
      })
    })
  })

  describe('createCheckpoint', () => {
    const system = () =>
      storedZip({
        'archive/data.pkl': Buffer.concat([
          Buffer.from('\x80\x02cos\nsystem\nX\x10\0\0\0touch /tmp/owned\x85R.', 'latin1'),
        ]),
        'archive/version': '3\n',
      })
    test.each([
      [
        'a page of HTML',
        'weights.pth',
        '<!DOCTYPE html><html><body>404</body></html>',
        'CHECKPOINT_UNKNOWN_FORMAT',
        'HTML',
      ],
      [
        'a Git LFS pointer',
        'weights.pth',
        'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n',
        'CHECKPOINT_UNKNOWN_FORMAT',
        'LFS',
      ],
      ['an empty file', 'weights.pth', '', 'CHECKPOINT_UNKNOWN_FORMAT', 'empty'],
      ['a pickle that calls os.system', 'evil.pth', system(), 'CHECKPOINT_UNSAFE_GLOBAL', 'os.system'],
    ])('refuses %s', async (_name, fileName, bytes, code, message) => {
      const uploadId = await upload(api.url, fileName, bytes)
      expect(await refused('createCheckpoint', { modelId, uploadId })).toMatchObject({
        code,
        message: expect.stringContaining(message),
      })
    })

    test.each([
      ['digits_cnn_full_model.pth', 'CHECKPOINT_WHOLE_MODULE', 'state_dict()'],
      ['digits_test.npz', 'CHECKPOINT_UNKNOWN_FORMAT', ''],
      ['cancer_test.csv', 'CHECKPOINT_UNKNOWN_FORMAT', ''],
    ])('refuses %s', async (name, code, message) => {
      const uploadId = await uploadFixture(api.url, name)
      expect(await refused('createCheckpoint', { modelId, uploadId })).toMatchObject({
        code,
        message: expect.stringContaining(message),
      })
    })

    test('refuses a file that was cut anywhere', async () => {
      const bytes = await fixture('digits_cnn.pth')
      for (const length of [1, 100, 50_000, bytes.length - 1]) {
        const uploadId = await upload(api.url, 'cut.pth', bytes.subarray(0, length))
        expect((await refused('createCheckpoint', { modelId, uploadId })).code).toMatch(
          /^CHECKPOINT_(CORRUPT|UNKNOWN_FORMAT)$/,
        )
      }
    })

    test('tells what is wrong with one that does not fit, and what would help', async () => {
      const { checkpoint } = await must('createCheckpoint', {
        modelId,
        uploadId: await uploadFixture(api.url, 'digits_cnn_dataparallel.pth'),
      })
      expect(checkpoint.binding).toMatchObject({ ok: false, proposals: [{ stripPrefix: 'module.' }] })
      expect(checkpoint.binding.missingKeys).toContain('0.weight')
      expect(checkpoint.binding.unexpectedKeys).toContain('module.0.weight')

      const error = await refused('startRun', { checkpointId: checkpoint.id, datasetId })
      expect(error).toMatchObject({
        code: 'BINDING_FAILED',
        message: expect.stringContaining('Missing key(s) in state_dict: "0.weight"'),
      })
      expect(error.binding).toMatchObject({
        ok: false,
        proposals: [{ stripPrefix: 'module.', addPrefix: null, stateDictPath: null, strict: true }],
      })

      const asked = await graphql(
        api.url,
        'query ($id: ID!, $keyMapping: KeyMappingInput) { bindCheckpoint(checkpointId: $id, keyMapping: $keyMapping) { ok message } }',
        { id: checkpoint.id, keyMapping: { stripPrefix: 'module.' } },
      )
      expect(asked.data.bindCheckpoint).toEqual({ ok: true, message: '<All keys matched successfully>' })
      const { run, binding } = await must('startRun', {
        checkpointId: checkpoint.id,
        datasetId,
        keyMapping: { stripPrefix: 'module.' },
      })
      expect([run.status, binding.ok]).toEqual(['QUEUED', true])
    })

    test('refuses a name that is taken, and ids of nothing', async () => {
      const uploadId = await uploadFixture(api.url, 'digits_cnn_epoch1.pth')
      expect(await refused('createCheckpoint', { modelId, uploadId, name: 'digits_cnn.pth' })).toMatchObject({
        code: 'CONFLICT',
      })
      expect(await refused('createCheckpoint', { modelId: `mdl_${NOBODY}`, uploadId })).toMatchObject({
        code: 'NOT_FOUND',
      })
      expect(await refused('createCheckpoint', { modelId: 'mdl', uploadId })).toMatchObject({
        code: 'NOT_FOUND',
        path: ['input', 'modelId'],
      })
      // An upload can be imported after a refusal, and only once.
      await must('createCheckpoint', { modelId, uploadId, name: 'epoch 1' })
      expect(await refused('createCheckpoint', { modelId, uploadId, name: 'epoch 1 again' })).toMatchObject({
        code: 'NOT_FOUND',
      })
    })
  })

  describe('createDataset', () => {
    test('counts versions of a name, and names of labels', async () => {
      for (const version of [1, 2]) {
        const uploadId = await upload(api.url, 'flowers.csv', 'length,kind\n1,rose\n2,tulip\n3,rose\n')
        const { dataset } = await must('createDataset', { name: 'flowers', uploadId, labelColumn: 'kind' })
        expect(dataset).toMatchObject({ name: 'flowers', version, rows: 3, labelNames: ['rose', 'tulip'] })
      }
    })
    test.each([
      ['a CSV with a ragged row', 'a.csv', 'a,b,label\n1,2,0\n3,4,1\n5,6\n', 'DATASET_CORRUPT', 'line 4'],
      ['a CSV with NaN', 'a.csv', 'a,b,label\n1,2,0\n3,nan,1\n', 'DATASET_NOT_FINITE', ''],
      ['a page of HTML', 'a.csv', '<!DOCTYPE html><html></html>', 'DATASET_UNKNOWN_FORMAT', 'HTML'],
      ['an empty file', 'a.npz', '', 'DATASET_UNKNOWN_FORMAT', 'empty'],
    ])('refuses %s', async (_name, fileName, bytes, code, message) => {
      const uploadId = await upload(api.url, fileName, bytes)
      expect(await refused('createDataset', { name: 'bad', uploadId, labelColumn: 'label' })).toMatchObject({
        code,
        message: expect.stringContaining(message),
      })
    })
  })

  describe('startRun', () => {
    test.each([
      ['a batch of nothing', { batchSize: 0 }, 'BAD_INPUT', null],
      ['a batch of less', { batchSize: -5 }, 'BAD_INPUT', null],
      ['an unknown device', { device: 'tpu' }, 'DEVICE_UNAVAILABLE', null],
      ['a device that is not there', { device: 'cuda:7' }, 'DEVICE_UNAVAILABLE', null],
      ['a threshold that is no probability', { threshold: 1.5 }, 'BAD_INPUT', null],
      ['a checkpoint that is none', { checkpointId: `ckp_${NOBODY}` }, 'NOT_FOUND', null],
      ['a checkpoint that is a dataset', { checkpointId: `dat_${NOBODY}` }, 'NOT_FOUND', ['input', 'checkpointId']],
      ['a dataset that is none', { datasetId: `dat_${NOBODY}` }, 'NOT_FOUND', null],
      [
        'a tag that is mapped twice',
        {
          mapLocation: {
            tags: [
              { from: 'cpu', to: 'cpu' },
              { from: 'cpu', to: 'cuda' },
            ],
          },
        },
        'BAD_INPUT',
        ['input', 'mapLocation', 'tags'],
      ],
    ])('refuses %s', async (_name, input, code, path) => {
      expect(await refused('startRun', { checkpointId, datasetId, ...input })).toMatchObject({ code, path })
    })

    test('refuses data that does not fit the model', async () => {
      const wide = await must('createDataset', {
        name: 'cancer',
        uploadId: await uploadFixture(api.url, 'cancer_test.csv'),
      })
      expect(await refused('startRun', { checkpointId, datasetId: wide.dataset.id })).toMatchObject({
        code: 'DATASET_SHAPE_MISMATCH',
        binding: { ok: true },
      })
      const row = [...Array.from({ length: 4 }, (_value, at) => `f${at}`), 'label']
      const uploadId = await upload(api.url, 'labels.csv', `${row.join(',')}\n1,2,3,4,0\n1,2,3,4,7\n`)
      const labels = await must('createDataset', { name: 'labels', uploadId, labelColumn: 'label' })
      const small = await must('createModel', {
        name: 'small',
        task: 'MULTICLASS',
        architecture: { layers: { layers: [{ type: 'Linear', in_features: 4, out_features: 3 }], input: [4] } },
      })
      const weights = safetensors({ '0.weight': [3, 4], '0.bias': [3] })
      const checkpoint = await must('createCheckpoint', {
        modelId: small.model.id,
        uploadId: await upload(api.url, 'small.safetensors', weights),
      })
      expect(
        await refused('startRun', { checkpointId: checkpoint.checkpoint.id, datasetId: labels.dataset.id }),
      ).toMatchObject({ code: 'DATASET_LABEL_UNKNOWN' })
    })
  })

  describe('cancelRun', () => {
    test('refuses what is no run', async () => {
      expect(await refused('cancelRun', { runId: `run_${NOBODY}` })).toMatchObject({ code: 'NOT_FOUND', path: null })
      expect(await refused('cancelRun', { runId: modelId })).toMatchObject({
        code: 'NOT_FOUND',
        path: ['input', 'runId'],
      })
    })
  })

  test('after all of this nothing is left of the files that were refused but their uploads', async () => {
    const waiting = await api.store.prisma.upload.count()
    const files = (await readdir(api.platform.spoolDir)).filter((name) => /^[0-9a-f-]{36}$/.test(name))
    expect(files).toHaveLength(waiting)
    expect(api.log.filter(({ level }) => level >= 50)).toEqual([])
  })
})

/** A safetensors file of float32 zeros. Source: https://github.com/huggingface/safetensors#format */
function safetensors(tensors: Readonly<Record<string, readonly number[]>>): Buffer {
  let end = 0
  const header = Object.fromEntries(
    Object.entries(tensors).map(([key, shape]) => {
      const begin = end
      end += 4 * shape.reduce((product, size) => product * size, 1)
      return [key, { dtype: 'F32', shape, data_offsets: [begin, end] }]
    }),
  )
  const text = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  return Buffer.concat([length, text, Buffer.alloc(end)])
}
