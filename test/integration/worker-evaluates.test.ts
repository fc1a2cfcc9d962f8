import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import type { Task } from '../../src/metric/index.ts'
import { createModel, importCheckpoint, startRun, type Platform, type StartRunInput } from '../../src/usecase/index.ts'
import { cancerModel, checkpoint, dataset, digitsModel } from './usecase/fixture-models.ts'
import { safetensorsFile } from './usecase/safetensors-file.ts'
import { fixture, openTestPlatform, upload, type TestPlatform } from './usecase/test-platform.ts'
import { ended, startTestWorker, type TestWorker } from './worker/test-worker.ts'

interface Expected {
  readonly cases: Record<
    string,
    { readonly samples: number; readonly metrics: Record<string, number | number[] | number[][]> }
  >
}
const { cases } = JSON.parse(readFileSync(fixture('expected.json'), 'utf8')) as Expected

// The numbers are PyTorch's and scikit-learn's (test/fixtures/make_fixtures.py).
describe('a run gives the numbers of PyTorch and scikit-learn', () => {
  let test_: TestPlatform
  let platform: Platform
  let worker: TestWorker
  let digits: string
  let cancer: string
  beforeAll(async () => {
    test_ = await openTestPlatform()
    platform = test_.platform
    worker = await startTestWorker(platform, test_.folder)
    digits = await dataset(platform, 'digits_test.npz')
    cancer = await dataset(platform, 'cancer_test.csv', { labelColumn: 'target' })
  })
  afterAll(async () => {
    await worker[Symbol.asyncDispose]()
    await test_[Symbol.asyncDispose]()
  })

  async function evaluate(input: StartRunInput) {
    const { id } = await startRun(platform, input)
    const run = await ended(platform, id)
    expect(run).toMatchObject({ status: 'SUCCEEDED', errorMessage: null, usedDevice: 'cpu', usedEngine: 'onnxruntime' })
    const metrics = await platform.store.prisma.metric.findMany({ where: { runId: id }, orderBy: { position: 'asc' } })
    const value = (name: string, average: string | null = null, of: string | null = null) => {
      const found = metrics.filter((m) => m.name === name && m.average === average && m.class === of)
      expect(found).toHaveLength(1)
      return found[0]!.value
    }
    return { run, value }
  }

  const averages = ['micro', 'macro', 'weighted'] as const
  const ratios = ['precision', 'recall', 'f1'] as const

  describe.each([
    ['digits_cnn', 'layers', 'digits_cnn.pth'],
    ['digits_cnn', 'onnx', 'digits_cnn.pth'],
    ['digits_cnn', 'layers', 'digits_cnn.safetensors'],
    ['digits_cnn_epoch1', 'layers', 'digits_cnn_epoch1.pth'],
    ['digits_cnn_epoch1', 'onnx', 'digits_cnn_epoch1.pth'],
  ] as const)('%s from %s and %s', (name, source, file) => {
    let checkpointId: string
    beforeAll(async () => {
      checkpointId = await checkpoint(platform, await digitsModel(platform, source), file)
    })

    test.each([1, 7, 64, 1000])('in batches of %d', async (batchSize) => {
      const { samples, metrics } = cases[name]!
      const { run, value } = await evaluate({ checkpointId, datasetId: digits, batchSize })
      expect(run).toMatchObject({ samples: BigInt(samples), total: BigInt(samples), confusion: metrics['confusion'] })
      expect(value('accuracy')).toBeCloseTo(metrics['accuracy'] as number, 9)
      expect(value('logLoss')).toBeCloseTo(metrics['logLoss'] as number, 6)
      for (const ratio of ratios)
        for (const average of averages)
          expect(value(ratio, average)).toBeCloseTo(metrics[`${ratio}_${average}`] as number, 9)
      ;(metrics['f1_perClass'] as number[]).forEach((f1, k) => {
        expect(value('f1', null, String(k))).toBeCloseTo(f1, 9)
      })
    })
  })

  describe('other tasks, with weights and numbers that can be followed by hand', () => {
    /** A Linear of these weights, without a bias, as a checkpoint. */
    async function linear(task: Task, weights: number[][], classes?: string[]): Promise<string> {
      const [outputs, inputs] = [weights.length, weights[0]!.length]
      const layers = {
        layers: [{ type: 'Linear', in_features: inputs, out_features: outputs, bias: false }],
        input: [inputs],
      }
      const model = await createModel(platform, {
        name: `${task} ${++models}`,
        task,
        classes,
        architecture: { layers },
      })
      const data = Float32Array.from(weights.flat())
      const bytes = safetensorsFile({ '0.weight': { dtype: 'float32', shape: [outputs, inputs], data } })
      const uploadId = await upload(platform, 'linear.safetensors', bytes)
      return (await importCheckpoint(platform, { modelId: model.id, uploadId })).id
    }
    let models = 0

    test('REGRESSION', async () => {
      const checkpointId = await linear('REGRESSION', [[2]])
      const bytes = 'x,label\n1,2\n2,5\n3,6\n4,5\n'
      const datasetId = await dataset(platform, 'line.csv', { bytes, labelColumn: 'label' })
      const { run, value } = await evaluate({ checkpointId, datasetId, batchSize: 3 })
      // Errors 0, -1, 0, 3; the labels' squares about their mean 4.5 are 6.25, 0.25, 2.25, 0.25.
      expect(value('mse')).toBe(10 / 4)
      expect(value('mae')).toBe(1)
      expect(value('r2')).toBeCloseTo(1 - 10 / 9, 12)
      expect(run.confusion).toBeNull()
    })

    test('MULTILABEL', async () => {
      const checkpointId = await linear('MULTILABEL', [[1], [-1]], ['up', 'down'])
      const bytes = 'x,up,down\n3,1,0\n-3,1,1\n'
      const datasetId = await dataset(platform, 'labels.csv', { bytes, labelColumn: 'up,down' })
      const { run, value } = await evaluate({ checkpointId, datasetId })
      // Predicted [1, 0] and [0, 1].
      expect(value('accuracy')).toBe(0.5)
      expect(value('recall', null, 'up')).toBe(0.5)
      expect(value('recall', null, 'down')).toBe(1)
      expect(value('f1', 'samples')).toBeCloseTo((1 + 2 / 3) / 2, 12)
      expect(run.confusion).toEqual([
        [
          [0, 0],
          [1, 1],
        ],
        [
          [1, 0],
          [0, 1],
        ],
      ])
    })

    test('BINARY with two logits and labels that are words', async () => {
      const checkpointId = await linear('BINARY', [[0], [1]], ['ham', 'spam'])
      const bytes = 'x,kind\n2,spam\n-2,ham\n1,ham\n'
      const datasetId = await dataset(platform, 'mail.csv', { bytes, labelColumn: 'kind' })
      const { run, value } = await evaluate({ checkpointId, datasetId })
      expect(run.confusion).toEqual([
        [1, 1],
        [0, 1],
      ])
      expect(value('precision')).toBe(0.5)
      const softplus = (x: number) => Math.log1p(Math.exp(x))
      expect(value('logLoss')).toBeCloseTo((softplus(-2) + softplus(-2) + softplus(1)) / 3, 7)
    })
  })

  describe('cancer_mlp', () => {
    let checkpointId: string
    beforeAll(async () => {
      checkpointId = await checkpoint(platform, await cancerModel(platform), 'cancer_mlp.pth')
    })

    test.each([1, 7, 64, 1000])('in batches of %d', async (batchSize) => {
      const { samples, metrics } = cases['cancer_mlp']!
      const { run, value } = await evaluate({ checkpointId, datasetId: cancer, batchSize })
      expect(run).toMatchObject({ samples: BigInt(samples), confusion: metrics['confusion'] })
      for (const name of ['accuracy', ...ratios]) expect(value(name)).toBeCloseTo(metrics[name] as number, 9)
      expect(value('logLoss')).toBeCloseTo(metrics['logLoss'] as number, 6)
    })

    test('with another threshold', async () => {
      const { run } = await evaluate({ checkpointId, datasetId: cancer, threshold: 1 })
      // Nothing is certain, so that nothing is positive.
      const [negatives, positives] = (cases['cancer_mlp']!.metrics['confusion'] as number[][]).map(
        (row) => row[0]! + row[1]!,
      )
      expect(run.confusion).toEqual([
        [negatives, 0],
        [positives, 0],
      ])
    })
  })
})
