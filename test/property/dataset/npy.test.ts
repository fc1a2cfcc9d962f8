import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bytesSource } from '../../../src/container/index.ts'
import { openDataset } from '../../../src/dataset/index.ts'
import { parseLiteral, type Literal } from '../../../src/dataset/python-literal.ts'
import { AppError } from '../../../src/error.ts'
import { columnBytes, importAll, npyBytes, npzFile } from '../../dataset/make-files.ts'

const integers = { '|i1': 1, '|u1': 1, '<i2': 2, '>i2': 2, '<u4': 4, '>u4': 4, '<i8': 8, '>i8': 8 } as const

test('integer arrays of any shape, order and byte order are read dense, row-major and little-endian', async () => {
  const array = fc.record({
    descr: fc.constantFrom(...(Object.keys(integers) as (keyof typeof integers)[])),
    shape: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
    fortranOrder: fc.boolean(),
    version: fc.constantFrom(1, 2, 3),
  })
  await fc.assert(
    fc.asyncProperty(
      array,
      fc.infiniteStream(fc.integer({ min: 0, max: 255 })),
      async ({ descr, shape, fortranOrder, version }, random) => {
        const size = integers[descr]
        const count = shape.reduce((product, n) => product * n, 1)
        const expected = Buffer.from(Array.from({ length: count * size }, () => random.next().value as number))
        const stored = Buffer.alloc(count * size)
        for (let i = 0; i < count; i++) {
          const element = Buffer.from(expected.subarray(i * size, (i + 1) * size))
          if (descr.startsWith('>')) element.reverse()
          element.copy(stored, size * (fortranOrder ? fortranPlace(i, shape) : i))
        }
        const file = await openDataset(
          npzFile({
            x: npyBytes({ descr, shape, fortranOrder }, stored, version),
            y: npyBytes({ descr: '|u1', shape: [shape[0]!] }, Buffer.alloc(shape[0]!)),
          }),
        )
        expect(file.columns[0]!.shape).toEqual(shape.slice(1))
        expect((await columnBytes(file, 0)).bytes.equals(expected)).toBe(true)
      },
    ),
    { numRuns: 200 },
  )
})

/** Where the element with this row-major index lies in Fortran order. */
function fortranPlace(index: number, shape: readonly number[]): number {
  const place = shape.map(() => 0)
  for (let axis = shape.length - 1, rest = index; axis >= 0; axis--) {
    place[axis] = rest % shape[axis]!
    rest = Math.floor(rest / shape[axis]!)
  }
  return place.reduceRight((sum, at, axis) => sum * shape[axis]! + at, 0)
}

const literal = fc.letrec<{ value: Literal }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value

/** As Python's repr writes it. */
function repr(value: Literal): string {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return `'${value.replace(/[\\']/g, '\\$&')}'`
  if (Array.isArray(value)) return `(${value.map((item: Literal) => `${repr(item)},`).join(' ')})`
  return `{${Object.entries(value)
    .map(([key, item]) => `${repr(key)}: ${repr(item)}`)
    .join(', ')}}`
}

test('Python literals are read as they were written, and any other text is none', () => {
  fc.assert(fc.property(literal, (value) => expect(parseLiteral(repr(value))).toEqual(value)))
  const text = fc.string({
    unit: fc.constantFrom('{', '}', '(', ')', '[', ']', ',', ':', "'", '"', '\\', 'a', '1', '-', ' ', 'True'),
  })
  fc.assert(
    fc.property(text, (source) => {
      parseLiteral(source)
    }),
  )
})

const fixture = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../fixtures/datasets/${name}`, import.meta.url)))

test.each(['compressed.npz', 'fortran_compressed.npz', 'text_labels.npz', 'table_fortran.npy', 'bf16.safetensors'])(
  'changed bytes of %s are refused with a reason, or read',
  async (name) => {
    const whole = fixture(name)
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255))
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 3 }), fc.nat(whole.length), async (changes, length) => {
        const bytes = Buffer.from(whole)
        for (const [at, value] of changes) bytes[at] = value
        // One half is cut as well.
        const source = bytesSource(name, length % 2 === 0 ? bytes : bytes.subarray(0, length))
        const options = name.endsWith('.npy') ? { labelColumn: '-1' } : {}
        await importAll(source, options).catch((error: unknown) => {
          expect(error).toBeInstanceOf(AppError)
        })
      }),
      { numRuns: 300 },
    )
  },
)
