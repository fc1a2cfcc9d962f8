import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { threadedEngine, type Engine } from '../../src/engine/index.ts'
import {
  cancelRun,
  createModel,
  DEFAULT_PREDICTION_LIMITS,
  importCheckpoint,
  startRun,
} from '../../src/usecase/index.ts'
import { runWorker } from '../../src/worker/index.ts'
import { compiled } from '../compiled.ts'
import { expectedLogits } from '../evaluation/fixture-case.ts'
import { startTestApi, type TestApi } from './api/server.ts'
import { upload as send, uploadFixture } from './api/upload.ts'
import { ask, predicted, refusal, type Sample } from './predict/ask.ts'
import { recorded } from '../engine/recorded.ts'
import { cancerModel, checkpoint, dataset, digitsModel } from './usecase/fixture-models.ts'
import { safetensorsFile } from './usecase/safetensors-file.ts'
import { fixture, upload } from './usecase/test-platform.ts'
import { longRun, startLongRun } from './worker/long-run.ts'
import { ended } from './worker/test-worker.ts'

/** The logits that PyTorch gave (test/fixtures/make_fixtures.py), row by row. */
async function torchLogits(name: string, width: number): Promise<number[][]> {
  const all = await expectedLogits(name)
  return Array.from({ length: all.length / width }, (_, row) => [...all.subarray(row * width, (row + 1) * width)])
}

function expectClose(found: readonly Sample[], expected: readonly (readonly number[])[]): void {
  expect(found).toHaveLength(expected.length)
  found.forEach(({ logits }, i) => {
    expect(logits).toHaveLength(expected[i]!.length)
    logits.forEach((logit, k) => expect(Math.abs(logit! - expected[i]![k]!)).toBeLessThan(1e-4))
  })
}

/** Ids as the API has them. */
const checkpointOf = (uuid: string) => `ckp_${uuid}`
const datasetOf = (uuid: string) => `dat_${uuid}`

describe('predict, through HTTP and a worker', () => {
  let api: TestApi
  let url: string
  let engine: Engine & AsyncDisposable
  /** Every logit that the engine gave, in order. */
  let recordedLogits: number[]
  let worker: Promise<void>
  const stop = new AbortController()
  let digits: string
  let digitsData: string
  let cancer: string
  let cancerData: string

  beforeAll(async () => {
    api = await startTestApi()
    url = api.url
    engine = await threadedEngine(compiled('engine/onnxruntime/index.js'))
    const { spy, logits } = recorded(engine, 'logits')
    recordedLogits = logits
    await new Promise<void>((onReady, reject) => {
      worker = runWorker({
        platform: api.platform,
        engines: [spy],
        cacheDir: join(api.platform.spoolDir, 'cache'),
        threads: 1,
        onReady,
        signal: stop.signal,
      })
      worker.catch(reject)
    })
    const { platform } = api
    digits = checkpointOf(await checkpoint(platform, await digitsModel(platform, 'onnx'), 'digits_cnn.pth'))
    digitsData = datasetOf(await dataset(platform, 'digits_test.npz'))
    cancer = checkpointOf(await checkpoint(platform, await cancerModel(platform), 'cancer_mlp.pth'))
    cancerData = datasetOf(await dataset(platform, 'cancer_test.csv', { labelColumn: 'target' }))
  })
  afterAll(async () => {
    stop.abort()
    await worker
    await engine[Symbol.asyncDispose]()
    await api[Symbol.asyncDispose]()
  })

  /** The features of the first samples of cancer_test.csv, as JSON has them. */
  const cancerRows = (count: number): number[][] =>
    readFileSync(fixture('cancer_test.csv'), 'utf8')
      .split('\n')
      .slice(1, count + 1)
      .map((line) => line.split(',').slice(0, -1).map(Number))

  describe('logits are those of PyTorch', () => {
    test('of samples of a dataset, in any order, with labels and the truth', async () => {
      const expected = await torchLogits('digits_cnn', 10)
      const indices = [449, 0, 7, 7, 123]
      const prediction = await predicted(url, { checkpointId: digits, datasetId: digitsData, indices })
      expectClose(
        prediction.samples,
        indices.map((row) => expected[row]!),
      )
      expect(prediction).toMatchObject({ device: 'cpu', engine: 'onnxruntime', activation: 'SOFTMAX' })
      expect(prediction.classes).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
      for (const { index, row, logits, probabilities, labels } of prediction.samples) {
        expect(row).toBe(indices[index])
        const powers = logits.map((logit) => Math.exp(logit!))
        const sum = powers.reduce((a, b) => a + b)
        probabilities!.forEach((p, k) => expect(p).toBeCloseTo(powers[k]! / sum, 12))
        expect(labels).toEqual([String(logits.indexOf(Math.max(...(logits as number[]))))])
      }
    })

    test('all of them, and they are right as often as scikit-learn says', async () => {
      const expected = await torchLogits('digits_cnn', 10)
      const indices = expected.map((_, row) => row)
      const { samples } = await predicted(url, { checkpointId: digits, datasetId: digitsData, indices })
      expectClose(samples, expected)
      const { cases } = JSON.parse(readFileSync(fixture('expected.json'), 'utf8')) as {
        cases: Record<string, { metrics: { accuracy: number } }>
      }
      const right = samples.filter(({ labels, trueLabels }) => labels[0] === trueLabels![0]).length
      expect(right / samples.length).toBeCloseTo(cases['digits_cnn']!.metrics.accuracy, 12)
    })

    test('of samples as JSON: an array, or an object by input', async () => {
      const expected = await torchLogits('cancer_mlp', 1)
      const rows = cancerRows(9)
      const { samples } = await predicted(url, { checkpointId: cancer, inputs: rows })
      expectClose(samples, expected.slice(0, 9))
      const named = await predicted(url, { checkpointId: cancer, inputs: { x: rows } })
      expect(named.samples).toEqual(samples)
      for (const { logits, probabilities, labels, row, trueLabels } of samples) {
        const p = 1 / (1 + Math.exp(-logits[0]!))
        expect(probabilities).toEqual([1 - p, p])
        expect(labels).toEqual([p >= 0.5 ? '1' : '0'])
        expect({ row, trueLabels }).toEqual({ row: null, trueLabels: null })
      }
      const sure = await predicted(url, { checkpointId: cancer, inputs: rows, threshold: 1, activation: 'NONE' })
      for (const { labels, probabilities } of sure.samples) expect([labels, probabilities]).toEqual([['0'], null])
    })

    test('of an uploaded file, with labels or without; the upload is used up', async () => {
      const expected = await torchLogits('cancer_mlp', 1)
      const uploadId = await uploadFixture(url, 'cancer_test.csv')
      const withLabels = await predicted(url, { checkpointId: cancer, uploadId })
      expectClose(withLabels.samples, expected)
      const stored = await predicted(url, { checkpointId: cancer, datasetId: cancerData, indices: [3] })
      expect(withLabels.samples[3]!.trueLabels).toEqual(stored.samples[0]!.trueLabels)
      expect(await refusal(url, { checkpointId: cancer, uploadId })).toMatch(/^NOT_FOUND: there is no upload/)

      const bare = readFileSync(fixture('cancer_test.csv'), 'utf8').replace(/,[^,\n]+$/gm, '')
      const bareUpload = await send(url, 'bare.csv', bare)
      const without = await predicted(url, { checkpointId: cancer, uploadId: bareUpload })
      expectClose(without.samples, expected)
      expect(without.samples[0]!.trueLabels).toBeNull()
    })
  })

  test('gives the bits that a run gives in the same batch', async () => {
    const expected = await torchLogits('digits_cnn', 10)
    const checkpointId = digits.slice(4)
    recordedLogits.length = 0
    const run = await startRun(api.platform, { checkpointId, datasetId: digitsData.slice(4), batchSize: 450 })
    expect((await ended(api.platform, run.id)).status).toBe('SUCCEEDED')
    const ofRun = Float32Array.from(recordedLogits)
    expect(ofRun).toHaveLength(4500)
    const indices = expected.map((_, row) => row)
    const { samples, warm } = await predicted(url, { checkpointId: digits, datasetId: digitsData, indices })
    expect(warm).toBe(true)
    expect(Float32Array.from(samples.flatMap(({ logits }) => logits as number[]))).toEqual(ofRun)
  })

  describe('mapLocation', () => {
    let cuda: string
    beforeAll(async () => {
      const { platform } = api
      cuda = checkpointOf(await checkpoint(platform, await digitsModel(platform, 'onnx'), 'digits_cnn_cuda0.pth'))
    })
    const where = { indices: [0, 1, 2] }

    test('a checkpoint of a graphics card is refused in the words of PyTorch, and nobody is asked', async () => {
      const before = recordedLogits.length
      expect(await refusal(url, { checkpointId: cuda, datasetId: digitsData, ...where })).toMatch(
        /^DEVICE_UNAVAILABLE: Attempting to deserialize object on a CUDA device but torch\.cuda\.is_available\(\) is False\./,
      )
      const tags = [{ from: 'cuda', to: 'cpu' }]
      expect(
        await refusal(url, { checkpointId: cuda, datasetId: digitsData, ...where, mapLocation: { tags } }),
      ).toMatch(/^DEVICE_UNAVAILABLE: Attempting to deserialize/)
      expect(recordedLogits).toHaveLength(before)
    })

    test.each([{ device: 'cpu' }, { tags: [{ from: 'cuda:0', to: 'cpu' }] }])(
      'with %j it predicts',
      async (mapLocation) => {
        const expected = await torchLogits('digits_cnn', 10)
        const { samples } = await predicted(url, { checkpointId: cuda, datasetId: digitsData, ...where, mapLocation })
        expectClose(samples, expected.slice(0, 3))
      },
    )

    test('a CPU checkpoint mapped to a card is refused', async () => {
      const mapLocation = { device: 'cuda:1' }
      expect(await refusal(url, { checkpointId: cancer, inputs: cancerRows(1), mapLocation })).toMatch(
        /^DEVICE_UNAVAILABLE: Attempting to deserialize object on a CUDA device/,
      )
    })
  })

  test('strict and keyMapping are those of a run', async () => {
    const { platform } = api
    const model = await digitsModel(platform, 'onnx')
    const parallel = checkpointOf(await checkpoint(platform, model, 'digits_cnn_dataparallel.pth'))
    const question = { checkpointId: parallel, datasetId: digitsData, indices: [5] }
    expect(await refusal(url, question)).toMatch(/^BINDING_FAILED: Error\(s\) in loading state_dict for .*Missing key/s)
    const { samples } = await predicted(url, { ...question, keyMapping: { stripPrefix: 'module.' } })
    expectClose(samples, [(await torchLogits('digits_cnn', 10))[5]!])
  })

  describe('other tasks', () => {
    async function linear(task: 'MULTILABEL' | 'REGRESSION' | 'BINARY', weights: number[][], classes?: string[]) {
      const [outputs, inputs] = [weights.length, weights[0]!.length]
      const layers = {
        layers: [{ type: 'Linear', in_features: inputs, out_features: outputs, bias: false }],
        input: [inputs],
      }
      const { platform } = api
      const model = await createModel(platform, {
        name: `${task} ${Math.random()}`,
        task,
        classes,
        architecture: { layers },
      })
      const data = Float32Array.from(weights.flat())
      const bytes = safetensorsFile({ '0.weight': { dtype: 'float32', shape: [outputs, inputs], data } })
      const uploadId = await upload(platform, 'linear.safetensors', bytes)
      return checkpointOf((await importCheckpoint(platform, { modelId: model.id, uploadId })).id)
    }

    test('MULTILABEL: any number of labels, from the threshold on', async () => {
      const checkpointId = await linear('MULTILABEL', [[1], [-1]], ['up', 'down'])
      const inputs = [[3], [0], [-2]]
      const { samples } = await predicted(url, { checkpointId, inputs, threshold: 0.5 })
      expect(samples.map(({ labels }) => labels)).toEqual([['up'], ['up', 'down'], ['down']])
      expect(samples[0]!.probabilities![0]).toBeCloseTo(1 / (1 + Math.exp(-3)), 12)
      const strict = await predicted(url, { checkpointId, inputs, threshold: 0.9 })
      expect(strict.samples.map(({ labels }) => labels)).toEqual([['up'], [], []])
    })

    test('REGRESSION: values, no classes, the true values', async () => {
      const checkpointId = await linear('REGRESSION', [[2]])
      const uploadId = await send(url, 'line.csv', 'x,label\n1,2\n2,5\n')
      const { samples, classes, activation } = await predicted(url, { checkpointId, uploadId })
      expect({ classes, activation }).toEqual({ classes: [], activation: 'NONE' })
      expect(
        samples.map(({ logits, probabilities, labels, trueValues, trueLabels }) => [
          logits,
          probabilities,
          labels,
          trueValues,
          trueLabels,
        ]),
      ).toEqual([
        [[2], null, [], [2], null],
        [[4], null, [], [5], null],
      ])
    })

    test('BINARY of two logits: softmax; a logit that is not finite is refused by its sample', async () => {
      const checkpointId = await linear('BINARY', [[0], [1]], ['ham', 'spam'])
      const { samples } = await predicted(url, { checkpointId, inputs: [[2], [-1]] })
      expect(samples.map(({ labels }) => labels[0])).toEqual(['spam', 'ham'])
      expect(samples[0]!.probabilities![1]).toBeCloseTo(Math.exp(2) / (1 + Math.exp(2)), 12)
      const huge = await linear('BINARY', [[1e30]])
      expect(await refusal(url, { checkpointId: huge, inputs: [[1], [1e20]] })).toMatch(
        /^LOGITS_NOT_FINITE: the model answered Infinity for sample 1 /,
      )
      expect(await refusal(url, { checkpointId: huge, inputs: [[1]], activation: 'SOFTMAX' })).toMatch(
        /^BAD_INPUT: the softmax of one logit/,
      )
    })
  })

  describe('what is wrong with the samples is said with its place', () => {
    const row = Array.from({ length: 30 }, (_, i) => i / 10)
    const withAt = (column: number, value: unknown) => row.map((number, i) => (i === column ? value : number))
    test.each<[string, unknown, RegExp]>([
      ['no array', 5, /^BAD_INPUT: inputs is 5; an array of samples is expected, or an object/],
      ['a string', 'abc', /^BAD_INPUT: inputs is "abc"/],
      ['empty', [], /^BAD_INPUT: inputs is empty; an array of at least one sample/],
      [
        'one sample without its array',
        row,
        /^DATASET_SHAPE_MISMATCH: inputs has 30 samples of shape \[\], input x .* expects \[30\].*put it into another array/,
      ],
      [
        'too few features',
        [row.slice(1)],
        /^DATASET_SHAPE_MISMATCH: inputs has 1 samples of shape \[29\], input x of the model expects \[30\]/,
      ],
      [
        'ragged',
        [row, row.slice(1)],
        /^DATASET_SHAPE_MISMATCH: inputs\[1\] is an array of 29; an array of 30 is expected/,
      ],
      ['null', [row, withAt(4, null)], /^BAD_INPUT: inputs\[1\]\[4\] is null; a number is expected/],
      ['text', [withAt(29, '1.5')], /^BAD_INPUT: inputs\[0\]\[29\] is "1.5"; a number is expected/],
      [
        'deeper than its first sample',
        [row, withAt(2, [1])],
        /^BAD_INPUT: inputs\[1\]\[2\] is \[1\]; a number is expected/,
      ],
      [
        'beyond float32',
        [withAt(3, 1e39)],
        /^DATASET_NOT_FINITE: inputs\[0\]\[3\] is 1e\+39, which is no finite float32/,
      ],
      [
        'an unknown input',
        { y: [row] },
        /^BAD_INPUT: inputs has the keys "y"; the model has the inputs x: x is missing/,
      ],
      ['one input too many', { x: [row], y: [row] }, /^BAD_INPUT: .*"y" is none of them/],
      ['too many', Array.from({ length: 1001 }, () => [0]), /^LIMIT_EXCEEDED: inputs has 1001 samples; at most 1000/],
      [
        'too deep',
        JSON.parse(`${'['.repeat(20)}1${']'.repeat(20)}`),
        /^BAD_INPUT: inputs is nested more than 16 levels/,
      ],
    ])('%s', async (_name, inputs, message) => {
      expect(await refusal(url, { checkpointId: cancer, inputs })).toMatch(message)
    })

    test('NaN and infinity, which JSON has no words for', async () => {
      const body = JSON.stringify({
        query: 'mutation ($input: PredictInput!) { predict(input: $input) { errors { code message } } }',
        variables: { input: { checkpointId: cancer, inputs: [withAt(1, 12345)] } },
      }).replace('12345', '1e999')
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      })
      const { data } = (await response.json()) as { data: { predict: { errors: object[] } } }
      expect(data.predict.errors).toEqual([
        { code: 'DATASET_NOT_FINITE', message: expect.stringMatching(/^inputs\[0\]\[1\] is Infinity/) },
      ])
      const uploadId = await send(
        url,
        'nan.csv',
        `${row.map((_, i) => `c${i}`).join(',')}\n${withAt(7, 'nan').join(',')}\n`,
      )
      expect(await refusal(url, { checkpointId: cancer, uploadId })).toMatch(
        /^DATASET_NOT_FINITE: nan\.csv: line 2, column "c7"/,
      )
    })

    test.each<[Record<string, unknown>, RegExp]>([
      [{}, /^BAD_INPUT: no samples were given; give just one of inputs, uploadId, and datasetId with indices/],
      [{ inputs: [row], datasetId: 'D', indices: [0] }, /^BAD_INPUT: samples were given in several ways/],
      [{ inputs: [row], indices: [0] }, /^BAD_INPUT: indices are those of a dataset/],
      [{ datasetId: 'D' }, /^BAD_INPUT: indices is empty/],
      [{ datasetId: 'D', indices: [0, 171] }, /^BAD_INPUT: indices\[1\] is 171; dataset .* has the samples 0 to 170/],
      [{ datasetId: 'D', indices: [-1] }, /^BAD_INPUT: indices\[0\] is -1/],
      [
        { datasetId: 'D', indices: Array.from({ length: 1001 }, () => 0) },
        /^LIMIT_EXCEEDED: indices names 1001 samples/,
      ],
      [{ inputs: [row], threshold: 2 }, /^BAD_INPUT: the threshold is 2/],
      [
        { inputs: [row], device: 'cuda' },
        /^DEVICE_UNAVAILABLE: there is no device "cuda": there are cpu \(onnxruntime\); name one of them/,
      ],
      [
        { inputs: [row], checkpointId: 'ckp_01990000-0000-7000-8000-000000000000' },
        /^NOT_FOUND: there is no checkpoint/,
      ],
      [{ inputs: [row], checkpointId: 'nonsense' }, /^NOT_FOUND: "nonsense" is no id/],
    ])('%#', async (input, message) => {
      const real = { checkpointId: cancer, ...input, ...(input['datasetId'] === 'D' ? { datasetId: cancerData } : {}) }
      expect(await refusal(url, real)).toMatch(message)
    })
  })

  test('a checkpoint that was deleted meanwhile is not found', async () => {
    const { platform } = api
    const id = await checkpoint(platform, await cancerModel(platform), 'cancer_mlp.pth')
    const question = { checkpointId: checkpointOf(id), inputs: cancerRows(1) }
    await predicted(url, question)
    await platform.store.prisma.checkpoint.delete({ where: { id } })
    expect(await refusal(url, question)).toBe('NOT_FOUND: there is no checkpoint with this id')
  })

  test('fifty at once, each with its own answer, and nothing is left behind', async () => {
    const expected = await torchLogits('digits_cnn', 10)
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        predicted(url, { checkpointId: digits, datasetId: digitsData, indices: [i, 449 - i] }),
      ),
    )
    answers.forEach(({ samples }, i) => expectClose(samples, [expected[i]!, expected[449 - i]!]))
    expect(await api.store.prisma.prediction.count()).toBe(0)
  })

  test('during a long run they answer in well under a second, and the run goes on', async () => {
    const { platform } = api
    const id = await startLongRun(platform, await longRun(platform))
    const times: number[] = []
    for (let i = 0; i < 20; i++) {
      const begin = performance.now()
      await predicted(url, {
        checkpointId: i % 2 === 0 ? digits : cancer,
        ...(i % 2 === 0 ? { datasetId: digitsData, indices: [i] } : { inputs: cancerRows(1) }),
      })
      times.push(performance.now() - begin)
    }
    const samplesOf = async () => (await platform.store.prisma.run.findUniqueOrThrow({ where: { id } })).samples
    const before = await samplesOf()
    while ((await samplesOf()) === before) await delay(20)
    expect((await cancelRun(platform, { runId: id })).status).toBe('CANCELLED')
    expect(times.sort((a, b) => a - b)[10]).toBeLessThan(500)
  }, 120_000)

  test('docs/graphql.md tells the limits', () => {
    const text = readFileSync(new URL('../../docs/graphql.md', import.meta.url), 'utf8')
    const rows = [...text.matchAll(/^\| `prediction\.(\w+)` +\| ([\d,]+) +\|/gm)]
    expect(Object.fromEntries(rows.map(([, name, value]) => [name, Number(value!.replaceAll(',', ''))]))).toEqual(
      DEFAULT_PREDICTION_LIMITS,
    )
  })

  test('an answer is data, and its failures have their place in the input', async () => {
    expect(await ask(url, { checkpointId: digitsData, inputs: [] })).toMatchObject({
      prediction: null,
      errors: [{ code: 'NOT_FOUND', path: ['input', 'checkpointId'] }],
    })
  })
})
