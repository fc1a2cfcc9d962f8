import { expect, test } from '@jest/globals'
import { erfc } from '../../src/metric/erfc.ts'
import { mcNemar } from '../../src/metric/index.ts'

// Reference: scipy 1.17, `binomtest(min(b, c), b + c).pvalue`, `chi2.sf(statistic, 1)` and `scipy.special.erfc`.

test.each([
  [0, 0, 1],
  [1, 0, 1],
  [3, 9, 0.14599609375],
  [12, 12, 1],
  [24, 0, 1.1920928955078125e-7],
])('%d broken and %d fixed: the exact test', (broken, fixed, pValue) => {
  const found = mcNemar({ bothRight: 7, bothWrong: 1, broken, fixed })
  expect(found).toMatchObject({ bothRight: 7, bothWrong: 1, broken, fixed, exact: true, statistic: null })
  expect(found.pValue / pValue).toBeCloseTo(1, 12)
})

test.each([
  [20, 5, 7.84, 0.005110260660855866],
  [100, 60, 9.50625, 0.002047732153668759],
  [5000, 4000, 110.889, 6.25782696074682e-26],
  [13, 12, 0, 1],
])('%d broken and %d fixed: chi-squared with the correction', (broken, fixed, statistic, pValue) => {
  const found = mcNemar({ bothRight: 0, bothWrong: 0, broken, fixed })
  expect(found.exact).toBe(false)
  expect(found.statistic).toBeCloseTo(statistic, 9)
  expect(found.pValue / pValue).toBeCloseTo(1, 9)
})

test.each([
  [0, 1],
  [0.1, 0.8875370839817152],
  [1, 0.15729920705028516],
  [2.49, 0.00042928786773391303],
  [2.5, 0.00040695201744495886],
  [4, 1.541725790028002e-8],
  [10, 2.0884875837625446e-45],
])('erfc(%d)', (x, expected) => {
  // Below 2.5 it is a difference from 1: 1e-16 of a value of 4e-4.
  expect(erfc(x) / expected).toBeCloseTo(1, 11)
})
