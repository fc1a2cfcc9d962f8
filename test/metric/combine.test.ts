import { expect, test } from '@jest/globals'
import { combine, prepared, type Accumulator } from '../../src/metric/index.ts'

const sum: Accumulator<readonly number[], { total: number }, number> = {
  empty: () => ({ total: 0 }),
  update(state, batch) {
    state.total += batch.reduce((total, value) => total + value, 0)
    return state
  },
  merge: (a, b) => ({ total: a.total + b.total }),
  compute: ({ total }) => total,
  replicate: ({ total }, random) => ({ total: total * random() }),
}
const largest: Accumulator<readonly number[], number | null, string> = {
  empty: () => null,
  update: (state, batch) => Math.max(state ?? -Infinity, ...batch),
  merge: (a, b) => (a === null ? b : b === null ? a : Math.max(a, b)),
  compute: (state) => (state === null ? 'nothing' : `at most ${state}`),
  replicate: (state) => state,
}

test('accumulators are combined, nested, and fed by what prepares their batches', () => {
  let preparations = 0
  const both = prepared(
    (text: string) => {
      preparations++
      return text.split(' ').map(Number)
    },
    combine({ sum, inner: combine({ largest }) }),
  )
  const a = both.update(both.update(both.empty(), '1 2'), '9')
  const b = both.update(both.empty(), '3')
  expect(preparations).toBe(3)
  expect(a).toEqual({ sum: { total: 12 }, inner: { largest: 9 } })
  expect(both.compute(both.merge(a, b))).toEqual({ sum: 15, inner: { largest: 'at most 9' } })
  expect(both.merge(both.empty(), b)).toEqual(b)
  expect(both.replicate(a, () => 0.5)).toEqual({ sum: { total: 6 }, inner: { largest: 9 } })
  expect(both.compute(both.empty())).toEqual({ sum: 0, inner: { largest: 'nothing' } })
})
