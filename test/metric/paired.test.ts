import { expect, test } from '@jest/globals'
import { pairedIntervals, type JointCell } from '../../src/metric/paired.ts'

/** Two runs on 2,000 samples of three classes that are right about three quarters of them, not the same ones. */
const N = 2000
const targets = Int32Array.from({ length: N }, (_, i) => i % 3)
const choices = [0, 1].map((run) =>
  Int32Array.from(targets, (target, i) => ((i * 7919 + run * 104729) % 97 < 24 + 4 * run ? (target + 1) % 3 : target)),
) as [Int32Array, Int32Array]
const logits = choices.map((chosen) =>
  Float32Array.from({ length: 3 * N }, (_, at) => (chosen[Math.floor(at / 3)] === at % 3 ? 2 : 0)),
) as [Float32Array, Float32Array]
const options = { classes: ['a', 'b', 'c'] }

const cells = new Map<string, JointCell>()
targets.forEach((truth, i) => {
  const both = [choices[0][i]!, choices[1][i]!] as const
  const key = [truth, ...both].join()
  cells.set(key, { truth, choices: both, count: (cells.get(key)?.count ?? 0) + 1 })
})

test.each(['accuracy', 'f1', 'mcc'])('joint counts have the interval of %s that the samples have', (name) => {
  const whole = { kind: 'pair', task: 'MULTICLASS', options: [options, options] } as const
  const bySample = pairedIntervals({ ...whole, samples: { n: N, targets, weights: null, logits }, cells: [] })
  const byCell = pairedIntervals({ ...whole, samples: null, cells: [...cells.values()] })
  const of = (found: typeof bySample) =>
    found.find((each) => each.name === name && each.class === null && (each.average ?? 'macro') === 'macro')!.interval!
  const [a, b] = [of(bySample), of(byCell)]
  // Both are drawn: their ends differ by some percent of the width.
  const width = a.high - a.low
  expect(Math.abs(a.low - b.low)).toBeLessThan(width / 5)
  expect(Math.abs(a.high - b.high)).toBeLessThan(width / 5)
  // The normal interval of the difference of two paired shares.
  if (name !== 'accuracy') return
  const right = choices.map((chosen) => Array.from(chosen, (choice, i) => choice === targets[i]))
  const differs = right[0]!.filter((was, i) => was !== right[1]![i]).length / N
  const mean = (right[1]!.filter(Boolean).length - right[0]!.filter(Boolean).length) / N
  const spread = 1.96 * Math.sqrt((differs - mean ** 2) / N)
  expect(Math.abs(b.low - (mean - spread))).toBeLessThan(width / 5)
  expect(Math.abs(b.high - (mean + spread))).toBeLessThan(width / 5)
})
