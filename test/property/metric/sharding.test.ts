import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { taskAccumulator, type LogitsBatch, type Task, type TaskState } from '../../../src/metric/index.ts'

interface Sample {
  readonly row: number
  readonly logits: readonly number[]
  readonly targets: readonly number[]
}

const CASES: readonly {
  task: Task
  width: number
  classes: readonly string[]
  target: fc.Arbitrary<number>
  perSample: number
}[] = [
  { task: 'BINARY', width: 1, classes: ['0', '1'], target: fc.integer({ min: 0, max: 1 }), perSample: 1 },
  { task: 'BINARY', width: 2, classes: ['0', '1'], target: fc.integer({ min: 0, max: 1 }), perSample: 1 },
  { task: 'MULTICLASS', width: 4, classes: ['a', 'b', 'c', 'd'], target: fc.integer({ min: 0, max: 3 }), perSample: 1 },
  { task: 'MULTILABEL', width: 3, classes: ['a', 'b', 'c'], target: fc.integer({ min: 0, max: 1 }), perSample: 3 },
  {
    task: 'REGRESSION',
    width: 2,
    classes: [],
    target: fc.double({ noNaN: true, min: -1e200, max: 1e200 }),
    perSample: 2,
  },
]

// Few values, so that ties and repetitions occur, and all of float32, so that every magnitude meets every other one.
const logit = fc.oneof(fc.constantFrom(-1, 0, 0.5, 2), fc.float(), fc.float({ min: -30, max: 30, noNaN: true }))

/**
 * A state without what may depend on the order: that of the single scores that it keeps, and the last bits of the moments that a bootstrap of
 * REGRESSION draws from.
 */
function canonical(state: TaskState): unknown {
  if ('outputs' in state)
    return {
      ...state,
      outputs: state.outputs.map(({ blocks, errors, ...rest }) => ({
        ...rest,
        moments: blocks.length,
        errors: errors === null ? null : Float64Array.from(errors).sort(),
      })),
    }
  const { samples, scores, targets, weights } = state.exact
  const per = (values: readonly number[], i: number) =>
    values.slice((i * values.length) / samples, ((i + 1) * values.length) / samples)
  const single = Array.from({ length: samples }, (_, i) =>
    JSON.stringify([scores, targets, weights].map((all) => per(all!, i))),
  )
  return { ...state, exact: single.sort() }
}

describe.each(CASES)('$task of width $width', ({ task, width, classes, target, perSample }) => {
  const accumulator = taskAccumulator(task, { classes })
  const other = taskAccumulator(task, { classes })

  /** Counts samples in the order given, each run of neighbouring rows as one batch. */
  const update = (state: TaskState, samples: readonly Sample[]): TaskState => {
    let counted = state
    for (let from = 0; from < samples.length;) {
      let end = from + 1
      while (end < samples.length && samples[end]!.row === samples[end - 1]!.row + 1) end++
      const batch = samples.slice(from, end)
      counted = accumulator.update(counted, {
        first: batch[0]!.row,
        n: batch.length,
        width,
        logits: Float32Array.from(batch.flatMap((sample) => sample.logits)),
        targets: Float64Array.from(batch.flatMap((sample) => sample.targets)),
      } satisfies LogitsBatch)
      from = end
    }
    return counted
  }

  const samples = fc
    .array(
      fc.record({
        logits: fc.array(logit, { minLength: width, maxLength: width }),
        targets: fc.array(target, { minLength: perSample, maxLength: perSample }),
      }),
      { maxLength: 40 },
    )
    .map((all) => all.map((sample, row): Sample => ({ ...sample, row })))

  test('any batches, shards and order of merging give the same bits', () => {
    fc.assert(
      fc.property(samples, fc.array(fc.tuple(fc.nat(), fc.nat(), fc.boolean()), { maxLength: 60 }), (all, choices) => {
        const whole = update(accumulator.empty(), all)

        // Each sample goes to a random place of a random shard, and is counted alone or together with what waits there.
        const shards: TaskState[] = [accumulator.empty()]
        let waiting: Sample[] = []
        all.forEach((sample, i) => {
          const [place, shard, cut] = choices[i % Math.max(choices.length, 1)] ?? [0, 0, false]
          waiting.splice(place % (waiting.length + 1), 0, sample)
          if (!cut) return
          const at = shard % (shards.length + 1)
          shards[at] = update(shards[at] ?? accumulator.empty(), waiting)
          waiting = []
        })
        shards.push(update(accumulator.empty(), waiting))

        while (shards.length > 1) {
          const [place, , swap] = choices[shards.length % Math.max(choices.length, 1)] ?? [0, 0, false]
          const [a] = shards.splice(place % shards.length, 1)
          const stored = JSON.parse(JSON.stringify(shards.pop())) as TaskState
          shards.unshift(swap ? other.merge(a!, stored) : other.merge(stored, a!))
        }
        expect(canonical(shards[0]!)).toEqual(canonical(whole))
        expect(accumulator.compute(shards[0]!)).toEqual(accumulator.compute(whole))
      }),
      { numRuns: 150 },
    )
  })

  test('the empty state is the identity, and merging changes neither side', () => {
    fc.assert(
      fc.property(samples, samples, (first, second) => {
        const a = update(accumulator.empty(), first)
        const b = update(accumulator.empty(), second)
        const before = JSON.stringify([a, b])
        expect(accumulator.merge(a, accumulator.empty())).toEqual(a)
        expect(accumulator.merge(accumulator.empty(), a)).toEqual(a)
        update(accumulator.merge(a, b), second)
        expect(JSON.stringify([a, b])).toBe(before)
      }),
      { numRuns: 50 },
    )
  })
})
