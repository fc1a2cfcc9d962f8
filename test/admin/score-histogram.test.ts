import { expect, test } from '@jest/globals'
import { scoreHistogram } from '../../admin/src/component/curve-points.ts'

/** The curve as the API has it: a point for each score that there is, the highest first. */
function curveOf(scores: readonly (readonly [score: number, isPositive: boolean])[]) {
  const thresholds = [...new Set(scores.map(([score]) => score))].sort((a, b) => b - a)
  const points = thresholds.map((threshold) => {
    const how = (isCalled: boolean, isPositive: boolean): number =>
      scores.filter((each) => each[0] >= threshold === isCalled && each[1] === isPositive).length
    const called = { truePositives: how(true, true), falsePositives: how(true, false) }
    return { threshold, ...called, falseNegatives: how(false, true), trueNegatives: how(false, false) }
  })
  return { class: 'cat', points }
}

test('scores are counted in the ranges that they are in', () => {
  const scores = Array.from({ length: 500 }, (_, i) => [((i * 37) % 101) / 100, i % 3 === 0] as const)
  const { positives, negatives } = scoreHistogram(curveOf(scores), 8)
  const counted = (isPositive: boolean): number[] => {
    const counts = new Array<number>(8).fill(0)
    for (const [score, positive] of scores) if (positive === isPositive) counts[Math.min(7, Math.floor(score * 8))]!++
    return counts
  }
  expect(positives).toEqual(counted(true))
  expect(negatives).toEqual(counted(false))
})

test('all of one class and one score', () => {
  const one = Array.from({ length: 4 }, () => [1, true] as const)
  expect(scoreHistogram(curveOf(one), 4)).toEqual({ positives: [0, 0, 0, 4], negatives: [0, 0, 0, 0] })
  const none = [[0, false] as const]
  expect(scoreHistogram(curveOf(none), 2)).toEqual({ positives: [0, 0], negatives: [1, 0] })
})
