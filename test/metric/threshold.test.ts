import { describe, expect, test } from '@jest/globals'
import { taskAccumulator, type Task } from '../../src/metric/index.ts'

/** [true, predicted] of the positive class, counted with a threshold. */
function positives(task: Task, classes: string[], width: number, logits: number[], threshold?: number): number {
  const accumulator = taskAccumulator(task, { classes, threshold })
  const n = logits.length / width
  const targets = new Float64Array(task === 'MULTILABEL' ? logits.length : n).fill(1)
  const state = accumulator.update(accumulator.empty(), {
    first: 0,
    n,
    width,
    logits: Float32Array.from(logits),
    targets,
  })
  const { metrics } = accumulator.compute(state)
  const recall = metrics.find(({ name, average }) => name === 'recall' && average === 'micro')!.value!
  return Math.round(recall * targets.length)
}

describe('the threshold', () => {
  // Sigmoids 0.269, 0.5, 0.731, 0.881.
  const logits = [-1, 0, 1, 2]

  test.each([
    [undefined, 3],
    [0.5, 3],
    [0.25, 4],
    [0.75, 1],
    [0.9, 0],
  ])('%s of BINARY and MULTILABEL', (threshold, expected) => {
    expect(positives('BINARY', ['no', 'yes'], 1, logits, threshold)).toBe(expected)
    expect(
      positives(
        'BINARY',
        ['no', 'yes'],
        2,
        logits.flatMap((x) => [0, x]),
        threshold,
      ),
    ).toBe(expected)
    expect(positives('MULTILABEL', ['a', 'b'], 2, logits, threshold)).toBe(expected)
  })

  test('is nothing to MULTICLASS', () => {
    expect(
      positives(
        'MULTICLASS',
        ['a', 'b'],
        2,
        logits.flatMap((x) => [0, x]),
        0.9,
      ),
    ).toBe(
      positives(
        'MULTICLASS',
        ['a', 'b'],
        2,
        logits.flatMap((x) => [0, x]),
        0.1,
      ),
    )
  })
})
