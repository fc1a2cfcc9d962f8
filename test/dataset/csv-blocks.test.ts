import { expect, test } from '@jest/globals'
import { parse } from 'csv-parse/sync'
import type { ByteSource } from '../../src/container/index.ts'
import { csvBlocks, fieldText } from '../../src/dataset/csv-blocks.ts'
import { decimalAt } from '../../src/dataset/csv-decimal.ts'
import { DEFAULT_DATASET_LIMITS } from '../../src/dataset/index.ts'
import { randomNumbers } from '../architecture/random-layers.ts'
import { textFile } from './make-files.ts'

/** The fields of every record. */
async function* records(file: ByteSource, delimiter: string): AsyncGenerator<string[]> {
  for await (const block of csvBlocks(file, { delimiter }, DEFAULT_DATASET_LIMITS))
    for (let record = 0; record < block.records; record++)
      yield Array.from({ length: block.fields }, (_, i) => fieldText(block, record * block.fields + i))
}

/** The number of a text, where `decimalAt` says one. */
const decimal = (text: string): number => {
  const bytes = Buffer.from(`7${text}7`)
  return decimalAt(bytes, 1, bytes.length - 1)
}

test.each([
  ['0', 0],
  ['-0', -0],
  ['+17', 17],
  ['.5', 0.5],
  ['5.', 5],
  ['1e3', 1000],
  ['1E-3', 0.001],
  ['0.1', 0.1],
  ['0.20486210286617278', 0.20486210286617278],
  ['123456789012345678', 123456789012345678],
  ['9007199254740993.1', 9007199254740994],
  ['0.00000000000000000001', 1e-20],
])('%s is a decimal number', (text, value) => {
  expect(decimal(text)).toBe(value)
})

test.each(['', '-', '.', 'e5', '1e', '1e+', '0x1f', '1_0', ' 1', '1 ', '1.2.3', 'nan', 'inf', '１', '1e99999', '--1'])(
  '%p is for somebody else to read',
  (text) => {
    expect(decimal(text)).toBeNaN()
  },
)

test('the middle between two numbers, and what is very near to it, is for somebody else to round', () => {
  // 2⁵³ + 1 lies in the middle.
  for (const text of ['9007199254740993', '9007199254740993.000000']) {
    const found = decimal(text)
    if (!Number.isNaN(found)) expect(found).toBe(Number(text))
  }
})

test('200,000 decimal numbers are what Number makes of them, and few are left to it', () => {
  const random = randomNumbers(11)
  const digits = (count: number): string => Array.from({ length: count }, () => Math.floor(random() * 10)).join('')
  const kinds: readonly (() => string)[] = [
    () => String((random() - 0.5) * 10 ** Math.floor(random() * 12 - 6)),
    () => String(Math.fround(random() * 100)),
    () =>
      `${random() < 0.5 ? '-' : ''}${digits(1 + Math.floor(random() * 12))}.${digits(1 + Math.floor(random() * 10))}`,
    () => `${digits(1 + Math.floor(random() * 17))}e${Math.floor(random() * 40 - 20)}`,
    () => `0.${'0'.repeat(Math.floor(random() * 5))}${digits(17)}`,
    // Half a unit in the last place, and a little beside it.
    () => `${2 ** 53 + 2 * Math.floor(random() * 1e6)}`.replace(/\d$/, (last) => String((Number(last) + 1) % 10)),
  ]
  // As programs write numbers.
  const USUAL = 3
  let left = 0
  for (let i = 0; i < 200_000; i++) {
    const text = kinds[i % kinds.length]!()
    const found = decimal(text)
    if (Number.isNaN(found)) left += i % kinds.length < USUAL ? 1 : 0
    else if (!Object.is(found, Number(text))) throw new Error(`${text} is ${Number(text)}, not ${found}`)
  }
  expect(left).toBeLessThan(0.02 * 200_000)
})

test.each([
  [',', '\n'],
  [';', '\r\n'],
  ['\t', '\r'],
  ['||', '\n'],
  ['→', '\r\n'],
])('a file of several MiB with %j and %j has the records that csv-parse finds', async (delimiter, lineEnd) => {
  const random = randomNumbers(delimiter.length * 7 + lineEnd.length)
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!
  const plain = ['', '1', '-0.25', '1e-7', 'ä', '😀', 'some text', ' spaces ', 'x'.repeat(300)]
  const inside = [delimiter, lineEnd, '""', 'a', 'ß', '\n', ' ']
  const field = (): string =>
    random() < 0.2
      ? `"${Array.from({ length: Math.floor(random() * 6) }, () => pick(inside)).join('')}"`
      : random() < 0.5
        ? String(random())
        : pick(plain)
  const lines = [['a', 'b', 'c', 'd'].join(delimiter)]
  for (let i = 0; i < 60_000; i++) lines.push(random() < 0.02 ? '' : Array.from({ length: 4 }, field).join(delimiter))
  const text = lines.join(lineEnd) + (random() < 0.5 ? lineEnd : '')
  const expected: string[][] = parse(text, { delimiter, skip_empty_lines: true, record_delimiter: lineEnd })

  const file = textFile('t.csv', text)
  expect(file.size).toBeGreaterThan(2 * 2 ** 20)
  let at = 0
  for await (const found of records(file, delimiter)) {
    if (found.join('\0') !== expected[at]?.join('\0')) expect(found).toEqual(expected[at])
    at++
  }
  expect(at).toBe(expected.length)
})

test('the last field of a file may be empty', async () => {
  const found: string[][] = []
  for await (const record of records(textFile('t.csv', 'a,b\n1,'), ',')) found.push(record)
  expect(found).toEqual([
    ['a', 'b'],
    ['1', ''],
  ])
})
