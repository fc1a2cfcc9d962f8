import { expect, test } from '@jest/globals'
import type { EndedRun } from '../../src/cli/documents.ts'
import { resultJson } from '../../src/cli/result-json.ts'
import { resultTable } from '../../src/cli/result-table.ts'

const RUN: EndedRun = {
  id: 'run_1',
  name: null,
  status: 'SUCCEEDED',
  samples: 1450,
  durationMs: 725,
  samplesPerSecond: 2000,
  device: 'cpu',
  engine: 'onnxruntime',
  metrics: [
    { name: 'accuracy', average: null, class: null, value: 0.9888888888888889 },
    { name: 'logLoss', average: null, class: null, value: 0.00000123456 },
    { name: 'f1', average: 'macro', class: null, value: 0.5 },
    { name: 'f1', average: 'micro', class: null, value: null },
    { name: 'f1', average: null, class: 'cat', value: 1 },
    { name: 'f1', average: null, class: 'dog', value: 0 },
    { name: 'recall', average: null, class: 'dog', value: 0.25 },
  ],
  confusionMatrix: [
    [700, 25],
    [0, 725],
  ],
  error: null,
  model: { classes: ['cat', 'dog'], task: 'MULTICLASS' },
}

test('a result as text', () => {
  expect(resultTable(RUN).split('\n')).toEqual([
    'run_1 SUCCEEDED: 1,450 samples in 0.72 s (2,000/s) on cpu with onnxruntime',
    '',
    'metric        value  macro  micro',
    'accuracy   0.988889',
    'logLoss   1.2346e-6',
    'f1                     0.5      –',
    '',
    'class  f1  recall',
    'cat     1',
    'dog     0    0.25',
    '',
    'true \\ predicted  cat  dog',
    'cat               700   25',
    'dog                 0  725',
  ])
})

test('a matrix for each label', () => {
  const text = resultTable({
    ...RUN,
    confusionMatrix: [
      [
        [1, 2],
        [3, 4],
      ],
      [
        [5, 6],
        [7, 8],
      ],
    ],
  })
  expect(text).toMatch(/label.*true neg.*false pos.*false neg.*true pos/)
  expect(text).toMatch(/cat +1 +2 +3 +4$/m)
  expect(text).toMatch(/dog +5 +6 +7 +8$/m)
})

test('a matrix that is too wide for a terminal is named', () => {
  const matrix = Array.from({ length: 30 }, () => Array.from({ length: 30 }, () => 0))
  expect(resultTable({ ...RUN, confusionMatrix: matrix })).toContain('confusion matrix: 30 × 30, see --json')
})

test('regression has neither classes nor a matrix', () => {
  const metrics = [{ name: 'mse', average: null, class: null, value: 12.5 }]
  const text = resultTable({ ...RUN, metrics, confusionMatrix: null, model: { classes: [], task: 'REGRESSION' } })
  expect(text.split('\n')).toHaveLength(4)
})

test('the JSON object has just the fields that are promised', () => {
  expect(resultJson(RUN)).toEqual({
    run: {
      id: 'run_1',
      status: 'SUCCEEDED',
      samples: 1450,
      durationMs: 725,
      samplesPerSecond: 2000,
      device: 'cpu',
      engine: 'onnxruntime',
    },
    metrics: RUN.metrics.map((metric) => ({ ...metric, interval: null })),
    slices: [],
    confusionMatrix: RUN.confusionMatrix,
    classes: ['cat', 'dog'],
  })
})
