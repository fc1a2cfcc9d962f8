import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { threadedEngine, type ThreadedEngine } from '../../src/engine/index.ts'
import { denseConfusion, type TaskReport } from '../../src/metric/index.ts'
import { temporaryFolder } from '../engine/parameter-file.ts'
import { recorded } from '../engine/recorded.ts'
import { compiled } from '../compiled.ts'
import {
  evaluateCase,
  expectedLogits,
  expectedMetrics,
  fixtureCase,
  type FixtureCase,
  type FixtureFiles,
} from './fixture-case.ts'

const digits = (architecture: string, checkpoint: string, dataset = 'digits_test.npz'): FixtureFiles => ({
  architecture,
  checkpoint,
  dataset,
  task: 'MULTICLASS',
})
/** Name in expected.json, and files that give those numbers. */
const CASES: [string, FixtureFiles][] = [
  ['digits_cnn', digits('digits_cnn.layers.json', 'digits_cnn.pth')],
  ['digits_cnn', digits('digits_cnn.onnx', 'digits_cnn.pth')],
  ['digits_cnn', digits('digits_cnn.onnx', 'digits_cnn.safetensors', 'digits_test.safetensors')],
  ['digits_cnn', digits('digits_cnn.layers.json', 'digits_cnn_training_checkpoint.pth')],
  ['digits_cnn', { ...digits('digits_cnn.onnx', 'digits_cnn_dataparallel.pth'), stripPrefix: 'module.' }],
  ['digits_cnn_epoch1', digits('digits_cnn.layers.json', 'digits_cnn_epoch1.pth')],
  ['digits_cnn_epoch1', digits('digits_cnn.onnx', 'digits_cnn_epoch1.pth')],
  [
    'cancer_mlp',
    { architecture: 'cancer_mlp.onnx', checkpoint: 'cancer_mlp.pth', dataset: 'cancer_test.csv', task: 'BINARY' },
  ],
]

let engine: ThreadedEngine
beforeAll(async () => {
  engine = await threadedEngine(compiled('engine/onnxruntime/index.js'))
})
afterAll(() => engine[Symbol.asyncDispose]())

describe.each(CASES)('%s from %o', (name, files) => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let fixture: FixtureCase
  beforeAll(async () => {
    folder = await temporaryFolder()
    fixture = await fixtureCase(files, folder.path)
  })
  afterAll(async () => folder[Symbol.asyncDispose]())

  test.each([1, 7, 64, 1000])('has PyTorch’s logits and scikit-learn’s metrics in batches of %p', async (batchSize) => {
    const expected = await expectedLogits(name)
    const { spy, logits } = recorded(engine, fixture.fit.output)
    const report = await evaluateCase(spy, fixture, { batchSize })
    expect(logits).toHaveLength(expected.length)
    const largest = logits.reduce((most, logit, i) => Math.max(most, Math.abs(logit - expected[i]!)), 0)
    expect(largest).toBeLessThan(1e-4)
    await expectMetrics(report, name)
  })

  test('has the same metrics in shards, however the rows are split', async () => {
    const whole = await evaluateCase(engine, fixture, { batchSize: 64 })
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: fixture.rows }), { maxLength: 5 }),
        fc.constantFrom(1, 13, 64, 1000),
        async (cuts, batchSize) => {
          const sorted = cuts.sort((a, b) => a - b)
          const report = await evaluateCase(engine, fixture, { batchSize }, sorted)
          expect(report.samples).toBe(fixture.rows)
          expect(report.confusionMatrix).toEqual(whole.confusionMatrix)
          await expectMetrics(report, name)
        },
      ),
      { numRuns: 8 },
    )
  })
})

/** Names in expected.json → metric and average. Metrics that later issues add are not compared yet. */
const NAMES: Record<string, readonly [string, string | null]> = {
  accuracy: ['accuracy', null],
  logLoss: ['logLoss', null],
  precision: ['precision', null],
  recall: ['recall', null],
  f1: ['f1', null],
  ...Object.fromEntries(
    ['micro', 'macro', 'weighted'].flatMap((average) =>
      ['precision', 'recall', 'f1'].map((name) => [`${name}_${average}`, [name, average] as const]),
    ),
  ),
}

async function expectMetrics({ metrics, confusionMatrix }: TaskReport, name: string): Promise<void> {
  const expected = await expectedMetrics(name)
  const find = (metric: string, average: string | null, className: string | null) =>
    metrics.find((each) => each.name === metric && each.average === average && each.class === className)?.value
  let compared = 0
  for (const [key, [metric, average]] of Object.entries(NAMES)) {
    if (!(key in expected)) continue
    expect(find(metric, average, null)).toBeCloseTo(expected[key] as number, 6)
    compared++
  }
  expect(compared).toBeGreaterThanOrEqual(5)
  const perClass = expected['f1_perClass'] as number[] | undefined
  perClass?.forEach((f1, k) => expect(find('f1', null, String(k))).toBeCloseTo(f1, 6))
  expect(confusionMatrix?.kind === 'CLASSES' && denseConfusion(confusionMatrix)).toEqual(expected['confusion'])
}
