import { expect, test } from '@jest/globals'
import { sampleRows } from '../../admin/src/page/checkpoint/sample-rows.ts'

test('rows and ranges of rows', () => {
  expect(sampleRows('0-3, 7,5 – 6', 8)).toEqual([0, 1, 2, 3, 7, 5, 6])
  expect(sampleRows('0-63', 64)).toHaveLength(64)
})

test.each([
  ['', '“” is no row'],
  ['a', '“a” is no row'],
  ['-1', '“-1” is no row'],
  ['3-1', 'ends before it begins'],
  ['8', 'There is no row 8'],
  ['0-64', 'more than 64'],
  ['0-1000000000000', 'There is no row'],
])('%p is refused', (text, message) => {
  expect(() => sampleRows(text, text === '0-64' ? 100 : 8)).toThrow(message)
})
