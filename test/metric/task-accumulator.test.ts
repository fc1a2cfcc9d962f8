import { describe, expect, test } from '@jest/globals'
import {
  denseConfusion,
  taskAccumulator,
  type LogitsBatch,
  type MetricValue,
  type TaskReport,
} from '../../src/metric/index.ts'
import type { Task } from '../../src/metric/index.ts'

/** The report of one batch. */
function report(
  task: Task,
  classes: readonly string[],
  width: number,
  logits: number[],
  targets: number[],
): TaskReport {
  const accumulator = taskAccumulator(task, { classes })
  return accumulator.compute(accumulator.update(accumulator.empty(), batchOf(width, logits, targets)))
}

const batchOf = (width: number, logits: number[], targets: number[]): LogitsBatch => ({
  first: 0,
  n: logits.length / width,
  width,
  logits: Float32Array.from(logits),
  targets: Float64Array.from(targets),
})

function metric(of: TaskReport, name: string, average: MetricValue['average'] = null, className: string | null = null) {
  const found = of.metrics.filter((m) => m.name === name && m.average === average && m.class === className)
  expect(found).toHaveLength(1)
  return found[0]!
}

describe('BINARY', () => {
  test('has the positive class as the whole, each class, and the averages', () => {
    // Predictions 1 1 0 0 1, truths 1 0 1 0 1.
    const result = report('BINARY', ['benign', 'malignant'], 1, [2, 1, -1, -2, 3], [1, 0, 1, 0, 1])
    expect(metric(result, 'accuracy').value).toBe(3 / 5)
    expect(metric(result, 'precision').value).toBe(2 / 3)
    expect(metric(result, 'recall').value).toBe(2 / 3)
    expect(metric(result, 'f1').value).toBe(2 / 3)
    expect(metric(result, 'f1', null, 'malignant').value).toBe(2 / 3)
    expect(metric(result, 'f1', null, 'benign').value).toBe(1 / 2)
    expect(metric(result, 'f1', 'macro').value).toBeCloseTo((2 / 3 + 1 / 2) / 2, 15)
    expect(metric(result, 'f1', 'micro').value).toBe(3 / 5)
    expect(metric(result, 'f1', 'weighted').value).toBeCloseTo((3 * (2 / 3) + 2 / 2) / 5, 15)
    expect(result.confusionMatrix).toEqual({
      kind: 'CLASSES',
      classes: ['benign', 'malignant'],
      cells: [
        [0, 0, 1],
        [0, 1, 1],
        [1, 0, 1],
        [1, 1, 2],
      ],
    })
  })

  test('predicts positive from a probability of exactly one half', () => {
    const result = report('BINARY', ['0', '1'], 1, [0], [1])
    expect(metric(result, 'accuracy').value).toBe(1)
    expect(metric(result, 'logLoss').value).toBe(Math.LN2)
    expect(metric(report('BINARY', ['0', '1'], 2, [3, 3], [1]), 'accuracy').value).toBe(1)
  })

  test('takes two logits through softmax', () => {
    const two = report('BINARY', ['0', '1'], 2, [0, 1.5, 1, -2], [1, 1])
    const one = report('BINARY', ['0', '1'], 1, [1.5, -3], [1, 1])
    expect(metric(two, 'recall').value).toBe(0.5)
    expect(metric(two, 'logLoss').value).toBeCloseTo(metric(one, 'logLoss').value!, 12)
  })

  test('clips the loss of a hopeless sample where sklearn clips it', () => {
    expect(metric(report('BINARY', ['0', '1'], 1, [-500], [1]), 'logLoss').value).toBe(-Math.log(2 ** -52))
    expect(metric(report('BINARY', ['0', '1'], 1, [-Infinity], [1]), 'logLoss').value).toBe(-Math.log(2 ** -52))
  })

  test('without a positive in sight says which value is missing why', () => {
    const result = report('BINARY', ['no', 'yes'], 1, [-1, -2], [0, 0])
    expect(metric(result, 'precision')).toMatchObject({ value: null, reason: 'no sample was predicted as “yes”' })
    expect(metric(result, 'recall')).toMatchObject({ value: null, reason: 'no sample is labelled “yes”' })
    expect(metric(result, 'f1').value).toBeNull()
    expect(metric(result, 'f1', 'macro').value).toBe(1)
    expect(metric(result, 'accuracy')).toMatchObject({ value: 1, reason: null })
  })
})

describe('MULTICLASS', () => {
  const abc = ['a', 'b', 'c']

  test('predicts the first of equal logits, and NaN as numpy.argmax does', () => {
    expect(report('MULTICLASS', abc, 3, [1, 1, 0], [0]).confusionMatrix).toMatchObject({ cells: [[0, 0, 1]] })
    expect(report('MULTICLASS', abc, 3, [1, NaN, NaN], [0]).confusionMatrix).toMatchObject({ cells: [[0, 1, 1]] })
    expect(report('MULTICLASS', abc, 3, [NaN, 5, NaN], [2]).confusionMatrix).toMatchObject({ cells: [[2, 0, 1]] })
  })

  test('has no log loss when logits are not finite, and says for how many', () => {
    const result = report('MULTICLASS', abc, 3, [1, NaN, 0, 1, 2, 3, 0, 0, Infinity], [0, 1, 2])
    expect(metric(result, 'logLoss')).toMatchObject({
      value: null,
      reason: 'the logits of 2 of 3 samples are NaN or infinite',
    })
    expect(metric(result, 'accuracy').value).toBe(1 / 3)
  })

  test('does not overflow: logits of 10,000', () => {
    expect(metric(report('MULTICLASS', abc, 3, [1e4, -1e4, 1e4], [0]), 'logLoss').value).toBe(Math.LN2)
  })

  test('leaves a class that is nowhere out of the averages', () => {
    const result = report('MULTICLASS', abc, 3, [1, 0, 0, 0, 1, 0], [0, 1])
    expect(metric(result, 'f1', null, 'c')).toMatchObject({ value: null })
    expect(metric(result, 'f1', 'macro').value).toBe(1)
    expect(metric(result, 'f1', 'weighted').value).toBe(1)
  })

  test('of no samples is undefined throughout', () => {
    const result = report('MULTICLASS', abc, 3, [], [])
    expect(result.samples).toBe(0)
    for (const { value, reason } of result.metrics) {
      expect(value).toBeNull()
      expect(reason).toMatch(/^(no sample|there are no samples|it is undefined for every class)/)
    }
  })

  test('of 10,000 classes keeps only what occurred', () => {
    const classes = Array.from({ length: 10_000 }, (_, k) => `class ${k}`)
    const accumulator = taskAccumulator('MULTICLASS', { classes })
    const logits = new Float32Array(3 * 10_000)
    logits[9_999] = 1
    logits[10_000] = 1
    logits[20_000 + 5] = 1
    const state = accumulator.update(accumulator.empty(), {
      first: 0,
      n: 3,
      width: 10_000,
      logits,
      targets: Int32Array.of(9_999, 9_999, 5),
    })
    const { confusionMatrix } = accumulator.compute(state)
    expect(confusionMatrix).toMatchObject({
      cells: [
        [5, 5, 1],
        [9_999, 0, 1],
        [9_999, 9_999, 1],
      ],
    })
    if (confusionMatrix?.kind !== 'CLASSES') throw new Error('a matrix of classes was expected')
    expect(() => denseConfusion(confusionMatrix)).toThrow('10000 classes')
  })

  test('refuses labels that are no class, before anything is counted', () => {
    for (const label of [3, -1, 0.5, NaN]) {
      const accumulator = taskAccumulator('MULTICLASS', { classes: abc })
      const state = accumulator.empty()
      const before = JSON.stringify(state)
      expect(() => accumulator.update(state, batchOf(3, [1, 2, 3, 1, 2, 3], [0, label]))).toThrow(
        expect.objectContaining({
          code: 'DATASET_LABEL_UNKNOWN',
          message: expect.stringContaining(`sample 1 of the batch`),
        }),
      )
      expect(JSON.stringify(state)).toBe(before)
    }
  })

  test('refuses logits of another width', () => {
    expect(() => report('MULTICLASS', abc, 2, [1, 2], [0])).toThrow(
      expect.objectContaining({
        code: 'DATASET_SHAPE_MISMATCH',
        message: expect.stringContaining('2 logits a sample'),
      }),
    )
  })
})

describe('MULTILABEL', () => {
  test('counts labels, samples and whole rows', () => {
    const result = report('MULTILABEL', ['x', 'y'], 2, [1, -1, 1, 1, -1, -1], [1, 0, 1, 0, 0, 0])
    expect(metric(result, 'accuracy').value).toBe(2 / 3)
    expect(metric(result, 'precision', 'samples').value).toBe(0.75)
    expect(metric(result, 'recall', 'samples').value).toBe(1)
    expect(metric(result, 'f1', 'samples').value).toBeCloseTo((1 + 2 / 3) / 2, 15)
    expect(metric(result, 'precision', null, 'y').value).toBe(0)
    expect(metric(result, 'recall', null, 'y').value).toBeNull()
    expect(result.confusionMatrix).toEqual({
      kind: 'LABELS',
      classes: ['x', 'y'],
      counts: [
        [
          [1, 0],
          [0, 2],
        ],
        [
          [2, 1],
          [0, 0],
        ],
      ],
    })
  })
})

describe('REGRESSION', () => {
  test('keeps all digits of targets far from zero', () => {
    // The variance of these is 2/3; squared in float64 they differ by less than their rounding.
    const result = report('REGRESSION', [], 1, [1e8, 1e8, 1e8], [1e8 - 1, 1e8, 1e8 + 1])
    expect(metric(result, 'mse').value).toBe(2 / 3)
    expect(metric(result, 'mae').value).toBe(2 / 3)
    expect(metric(result, 'r2').value).toBe(0)
  })

  test('has no R² of one sample or of constant targets', () => {
    expect(metric(report('REGRESSION', [], 1, [1], [2]), 'r2').reason).toBe('r2 needs at least two samples')
    const constant = report('REGRESSION', ['height', 'width'], 2, [1, 1, 2, 1], [1, 3, 2, 3])
    expect(metric(constant, 'r2')).toMatchObject({
      value: null,
      reason: 'the targets of output “width” are all the same',
    })
    expect(metric(constant, 'r2', null, 'height').value).toBe(1)
    expect(metric(constant, 'mse').value).toBe(2)
  })

  test('says that predictions are not finite', () => {
    const result = report('REGRESSION', [], 1, [NaN, 1, Infinity], [1, 2, 3])
    for (const name of ['mse', 'mae', 'r2'])
      expect(metric(result, name).reason).toBe(
        '2 predictions are NaN, infinite, or too far from their targets to be squared',
      )
  })

  test('refuses a width that changes', () => {
    const accumulator = taskAccumulator('REGRESSION', { classes: [] })
    const state = accumulator.update(accumulator.empty(), batchOf(1, [1], [1]))
    expect(() => accumulator.update(state, batchOf(2, [1, 2], [1, 2]))).toThrow('1 outputs a sample before, and now 2')
  })
})

describe('the running view', () => {
  test('equals the report at every moment', () => {
    const accumulator = taskAccumulator('MULTICLASS', { classes: ['a', 'b', 'c'] })
    let state = accumulator.empty()
    expect(accumulator.running(state)).toEqual({
      samples: 0,
      loss: null,
      accuracy: null,
      precision: null,
      recall: null,
      f1: null,
    })
    for (const label of [0, 1, 2, 2, 1]) {
      state = accumulator.update(state, batchOf(3, [0.5, 1, label], [label]))
      const result = accumulator.compute(state)
      expect(accumulator.running(state)).toEqual({
        samples: result.samples,
        loss: metric(result, 'logLoss').value,
        accuracy: metric(result, 'accuracy').value,
        precision: metric(result, 'precision', 'macro').value,
        recall: metric(result, 'recall', 'macro').value,
        f1: metric(result, 'f1', 'macro').value,
      })
    }
  })

  test('is the positive class of BINARY, the squared error of REGRESSION', () => {
    const binary = taskAccumulator('BINARY', { classes: ['0', '1'] })
    const counted = binary.update(binary.empty(), batchOf(1, [1, 1, -1], [1, 0, 0]))
    expect(binary.running(counted)).toMatchObject({ precision: 0.5, recall: 1, f1: 2 / 3 })
    const regression = taskAccumulator('REGRESSION', { classes: [] })
    const summed = regression.update(regression.empty(), batchOf(1, [1, 2], [1, 4]))
    expect(regression.running(summed)).toMatchObject({ samples: 2, loss: 2, accuracy: null, f1: null })
  })
})

test.each([
  ['BINARY', ['only']],
  ['MULTICLASS', ['only']],
  ['MULTILABEL', []],
] as const)('%s cannot have the classes %j', (task, classes) => {
  expect(() => taskAccumulator(task, { classes })).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }))
})

test('a batch whose arrays do not have its size is a bug of ours', () => {
  const accumulator = taskAccumulator('BINARY', { classes: ['0', '1'] })
  const batch = { first: 0, n: 2, width: 1, logits: new Float32Array(2), targets: new Int32Array(3) }
  expect(() => accumulator.update(accumulator.empty(), batch)).toThrow('invariant')
})
