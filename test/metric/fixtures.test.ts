import { describe, expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { fileSource } from '../../src/container/index.ts'
import { openDataset } from '../../src/dataset/index.ts'
import { denseConfusion, taskAccumulator, type Task, type TaskReport } from '../../src/metric/index.ts'
import { columnNumbers } from '../dataset/make-files.ts'

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))
const { cases } = JSON.parse(readFileSync(fixture('expected.json'), 'utf8')) as {
  cases: Record<string, { metrics: Record<string, unknown> }>
}

/** PyTorch's logits: float32, after the header of an npy file. */
function logitsOf(name: string, count: number): Float32Array {
  const bytes = readFileSync(fixture(`${name}.logits.npy`))
  return new Float32Array(
    bytes.buffer.slice(bytes.byteOffset + bytes.length - 4 * count, bytes.byteOffset + bytes.length),
  )
}

async function labelsOf(name: string): Promise<Float64Array> {
  await using source = await fileSource(fixture(name))
  await using file = await openDataset(source)
  return Float64Array.from(await columnNumbers(file, 1))
}

async function evaluate(
  name: string,
  task: Task,
  width: number,
  dataset: string,
  batchSize: number,
): Promise<TaskReport> {
  const targets = await labelsOf(dataset)
  const logits = logitsOf(name, targets.length * width)
  const accumulator = taskAccumulator(task, {
    classes: Array.from({ length: Math.max(width, 2) }, (_, k) => String(k)),
  })
  let state = accumulator.empty()
  for (let at = 0; at < targets.length; at += batchSize) {
    const n = Math.min(batchSize, targets.length - at)
    state = accumulator.update(state, {
      first: at,
      n,
      width,
      logits: logits.subarray(at * width, (at + n) * width),
      targets: targets.subarray(at, at + n),
    })
  }
  return accumulator.compute(state)
}

/** The report under the names that expected.json has. */
function named(report: TaskReport): Record<string, unknown> {
  const all: Record<string, unknown> = {
    f1_perClass: report.metrics.filter((m) => m.name === 'f1' && m.class !== null).map((m) => m.value),
  }
  for (const { name, average, class: className, value } of report.metrics)
    if (className === null) all[average === null ? name : `${name}_${average}`] = value
  // Names of the file that are not ours.
  for (const [theirs, own] of Object.entries({
    kappa: 'cohenKappa',
    top2: 'top2Accuracy',
    rocAucOvrMacro: 'rocAuc_macro',
  }))
    if (own in all) all[theirs] = all[own]
  if (report.confusionMatrix?.kind === 'CLASSES') all['confusion'] = denseConfusion(report.confusionMatrix)
  return all
}

describe.each([
  ['digits_cnn', 'MULTICLASS', 10, 'digits_test.npz', 18],
  ['digits_cnn_epoch1', 'MULTICLASS', 10, 'digits_test.safetensors', 18],
  ['cancer_mlp', 'BINARY', 1, 'cancer_test.csv', 10],
] as const)('%s', (name, task, width, dataset, count) => {
  test.each([1, 7, 64, 1000])('has the metrics of PyTorch and scikit-learn in batches of %i', async (batchSize) => {
    const report = named(await evaluate(name, task, width, dataset, batchSize))
    const { metrics } = cases[name]!
    const known = Object.keys(metrics).filter((key) => key in report)
    expect(known).toHaveLength(count)
    for (const key of known)
      [report[key]].flat(3).forEach((value, i) => {
        const expected = [metrics[key]].flat(3)[i] as number
        expect(Math.abs((value as number) - expected)).toBeLessThanOrEqual(1e-12 * Math.max(1, expected))
      })
  })
})
