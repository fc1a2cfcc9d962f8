import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { AppError } from '../../../src/error.ts'
import { bytesSource } from '../../../src/container/index.ts'
import { openDataset } from '../../../src/dataset/index.ts'
import { columnNumbers, importAll, textFile } from '../../dataset/make-files.ts'

// String(-0) is '0'.
const written = (value: number) => (Object.is(value, -0) ? '-0' : String(value))
const quote = (text: string) => `"${text.replaceAll('"', '""')}"`
const feature = fc.float({ noNaN: true, noDefaultInfinity: true })
// Text that cannot be taken for a number or for nothing, with all that has to be quoted.
const name = fc
  .string({ unit: fc.constantFrom('a', 'é', '😀', '"', ',', '\n', '\r', ';', ' ', '1'), maxLength: 6 })
  .map((text) => `k${text}k`)

const table = fc
  .record({ columns: fc.uniqueArray(name, { minLength: 1, maxLength: 5 }), rows: fc.integer({ min: 1, max: 12 }) })
  .chain(({ columns, rows }) =>
    fc.record({
      columns: fc.constant(columns),
      features: fc.array(fc.array(feature, { minLength: columns.length, maxLength: columns.length }), {
        minLength: rows,
        maxLength: rows,
      }),
      labels: fc.oneof(
        fc.array(fc.maxSafeInteger(), { minLength: rows, maxLength: rows }),
        fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: rows, maxLength: rows }),
        fc.array(name, { minLength: rows, maxLength: rows }),
      ),
      end: fc.constantFrom('\n', '\r\n'),
      blanks: fc.boolean(),
      bom: fc.boolean(),
      last: fc.boolean(),
    }),
  )

test('rows that are written as CSV are read as the same numbers', async () => {
  await fc.assert(
    fc.asyncProperty(table, async ({ columns, features, labels, end, blanks, bom, last }) => {
      const lines = [
        [...columns.map(quote), 'y'].join(','),
        ...features.map((row, i) => {
          const label = labels[i]!
          return [...row.map(written), typeof label === 'string' ? quote(label) : String(label)].join(',')
        }),
      ]
      const text = (bom ? '\ufeff' : '') + lines.join(blanks ? end + end : end) + (last ? end : '')
      await using file = await openDataset(textFile('t.csv', text), { labelColumn: 'y' })
      expect(file.rows).toBe(features.length)
      expect(await columnNumbers(file, 0)).toEqual(features.flat())
      const codes = await columnNumbers(file, 1)
      if (typeof labels[0] === 'string') expect(codes.map((code) => file.columns[1]!.names![code])).toEqual(labels)
      else {
        expect(file.columns[1]!.names).toBeUndefined()
        expect(codes.map((code) => code + 0)).toEqual((labels as number[]).map((label) => label + 0))
      }
    }),
    { numRuns: 200 },
  )
})

test('any text is either read or refused with a reason', async () => {
  const text = fc.string({
    unit: fc.constantFrom('a', 'y', ',', '"', '\n', '\r', '0', '1', '.', 'e', '-', ' ', '😀'),
    maxLength: 40,
  })
  await fc.assert(
    fc.asyncProperty(text, fc.constantFrom('', 'a,y\n1,0\n'), async (rest, start) => {
      const source = bytesSource('t.csv', Buffer.from(start + rest))
      await importAll(source).catch((error: unknown) => {
        expect(error).toBeInstanceOf(AppError)
      })
    }),
    { numRuns: 500 },
  )
})
