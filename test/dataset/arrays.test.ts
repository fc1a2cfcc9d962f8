import { describe, expect, test } from '@jest/globals'
import { bytesSource } from '../../src/container/index.ts'
import { DEFAULT_DATASET_LIMITS, openDataset, type DatasetOptions } from '../../src/dataset/index.ts'
import {
  columnBytes,
  columnNumbers,
  floats,
  importAll,
  longs,
  npyBytes,
  npzFile,
  safetensorsFile,
  zipOf,
} from './make-files.ts'

const X = npyBytes({ descr: '<f4', shape: [2, 3] }, floats(1, 2, 3, 4, 5, 6))
const Y = npyBytes({ descr: '<i8', shape: [2] }, longs(1, 0))
const OBJECTS = npyBytes({ descr: '|O', shape: [2] }, Buffer.from('pickle'))

/** The refusal of a file: its code, and a part of its message. */
const refused = (code: string, message: string) => ({ code, message: expect.stringContaining(message) })

describe('roles', () => {
  const open = (arrays: Record<string, Uint8Array>, options?: DatasetOptions) => openDataset(npzFile(arrays), options)
  const roles = async (...args: Parameters<typeof open>) =>
    (await open(...args)).columns.map(({ name, role }) => `${role} ${name}`)

  test('go by usual names, and what is left are the features', async () => {
    expect(await roles({ y: Y, x: X })).toEqual(['FEATURE x', 'LABEL y'])
    expect(await roles({ Features: X, TARGET: Y })).toEqual(['FEATURE Features', 'LABEL TARGET'])
    expect(await roles({ labels: Y, spectra: X })).toEqual(['FEATURE spectra', 'LABEL labels'])
    expect(await roles({ data: X, ids: X, y: Y })).toEqual(['FEATURE data', 'LABEL y'])
  })

  test('are what the options say', async () => {
    const arrays = { input_ids: X, attention_mask: X, answer: Y, y: X }
    expect(await roles(arrays, { labelColumn: 'answer', featureColumns: ['attention_mask', 'input_ids'] })).toEqual([
      'FEATURE attention_mask',
      'FEATURE input_ids',
      'LABEL answer',
    ])
  })

  test('that nobody can know are asked for, with all the arrays named', async () => {
    await expect(open({ a: X, b: Y })).rejects.toMatchObject(
      refused('BAD_INPUT', 'the arrays a float32 [2, 3], b int64 [2]'),
    )
    await expect(open({ y: Y, label: Y, x: X })).rejects.toMatchObject(
      refused('BAD_INPUT', 'y and label could both be'),
    )
    await expect(open({ y: Y, a: X, b: X })).rejects.toMatchObject(refused('BAD_INPUT', 'featureColumns'))
    await expect(open({ y: Y, x: X, X })).rejects.toMatchObject(refused('BAD_INPUT', 'it is not clear which arrays'))
    await expect(open({ y: Y })).rejects.toMatchObject(refused('BAD_INPUT', 'no features besides the labels'))
    await expect(open({ y: Y, x: X }, { labelColumn: 'z' })).rejects.toMatchObject(refused('BAD_INPUT', 'no array "z"'))
    await expect(open({ y: Y, x: X }, { featureColumns: ['z'] })).rejects.toMatchObject(
      refused('BAD_INPUT', 'no array "z"'),
    )
    await expect(open({ y: Y, x: X }, { featureColumns: ['x', 'x'] })).rejects.toMatchObject(
      refused('BAD_INPUT', 'twice'),
    )
    await expect(open({ y: Y, x: X }, { featureColumns: [] })).rejects.toMatchObject(refused('BAD_INPUT', 'no column'))
  })

  test('do not need arrays that cannot be read', async () => {
    expect(await roles({ x: X, y: Y, notes: OBJECTS })).toEqual(['FEATURE x', 'LABEL y'])
    await expect(open({ x: X, y: OBJECTS })).rejects.toMatchObject(refused('DATASET_UNSUPPORTED', 'never read'))
    await expect(open({ a: OBJECTS, b: Y })).rejects.toMatchObject(
      refused('BAD_INPUT', 'a (not readable), b int64 [2]'),
    )
  })
})

describe('arrays that do not fit', () => {
  const label = (descr: string, shape: number[], data: Uint8Array) =>
    npzFile({ x: X, y: npyBytes({ descr, shape }, data) })

  test.each([
    ['other lengths', label('<i8', [3], longs(1, 2, 3)), 'x has 2, y has 3'],
    [
      'no samples',
      npzFile({ x: npyBytes({ descr: '<f4', shape: [0, 3] }, Buffer.alloc(0)), y: Y }),
      'x float32 [0, 3] has no elements',
    ],
    ['a single value', label('<i8', [], longs(1)), 'y int64 [] is one value'],
    ['bytes missing', label('<i8', [2], longs(1)), 'holds 8 bytes of data, its shape [2] needs 16: it was cut'],
    ['bytes too many', label('<i8', [2], longs(1, 2, 3)), 'something follows the array'],
    ['no magic', npzFile({ x: X, y: Buffer.from('hello world, hello') }), 'array "y" does not begin as a numpy array'],
    ['half a header', npzFile({ x: X, y: Y.subarray(0, 40) }), 'array "y" ends within its header: it was cut'],
    ['hardly a header', npzFile({ x: X, y: Y.subarray(0, 11) }), 'array "y" ends within its header: it was cut'],
    ['hardly any bytes', npzFile({ x: X, y: Y.subarray(0, 4) }), 'array "y" does not begin as a numpy array'],
  ])('have %s', async (_, source, message) => {
    await expect(openDataset(source)).rejects.toMatchObject(refused('DATASET_CORRUPT', message))
  })

  test('are text where numbers are needed', async () => {
    const text = npyBytes({ descr: '|S3', shape: [2] }, Buffer.from('onetwo'))
    await expect(openDataset(npzFile({ x: text, y: Y }))).rejects.toMatchObject(
      refused('DATASET_UNSUPPORTED', 'x text [2] is text; features have to be numbers'),
    )
  })

  test.each([
    ['S', '|S2', Buffer.from([0x61, 0, 0xff, 0])],
    ['U', '<U1', Buffer.from([0x61, 0, 0, 0, 0, 0xd8, 0, 0])],
    ['U', '<U1', Buffer.from([0x61, 0, 0, 0, 0, 0, 0x11, 0])],
  ])('hold bytes that are no text (%s, %#)', async (_, descr, data) => {
    await expect(openDataset(label(descr, [2], data))).rejects.toMatchObject(
      refused('DATASET_CORRUPT', 'no Unicode text'),
    )
  })

  test.each([
    ['NaN', floats(1, 2, 3, 4, NaN, 6), 'row 1 of x is NaN at [1]'],
    ['an infinity', floats(1, 2, -Infinity, 4, 5, 6), 'row 0 of x is -Infinity at [2]'],
  ])('hold %s', async (_, data, message) => {
    const source = npzFile({ x: npyBytes({ descr: '<f4', shape: [2, 3] }, data), y: Y })
    await expect(importAll(source)).rejects.toMatchObject(refused('DATASET_NOT_FINITE', message))
  })

  test('hold a NaN among half floats, bfloat16 and labels', async () => {
    const half = npyBytes({ descr: '<f2', shape: [2, 1, 2] }, Buffer.from([0, 0, 0, 0, 0, 0x7e, 0, 0]))
    await expect(importAll(npzFile({ x: half, y: Y }))).rejects.toMatchObject(
      refused('DATASET_NOT_FINITE', 'row 1 of x is NaN at [0, 0]'),
    )
    const bfloat = safetensorsFile({
      x: { dtype: 'BF16', shape: [2, 1], data: Buffer.from([0, 0, 0x80, 0x7f]) },
      y: { dtype: 'I64', shape: [2], data: longs(0, 1) },
    })
    await expect(importAll(bfloat)).rejects.toMatchObject(
      refused('DATASET_NOT_FINITE', 'row 1 of x is Infinity at [0]'),
    )
    await expect(importAll(label('<f4', [2], floats(1, NaN)))).rejects.toMatchObject(
      refused('DATASET_NOT_FINITE', 'test.npz: row 1 of y is NaN; replace'),
    )
  })
})

describe('npy headers', () => {
  const table = (header: Parameters<typeof npyBytes>[0], version?: 1 | 2 | 3) =>
    openDataset(bytesSource('t.npy', npyBytes(header, floats(1, 2, 3, 4), version)), { labelColumn: '-1' })

  test.each([1, 2, 3] as const)('of version %i are read', async (version) => {
    const file = await table({ descr: '<f4', shape: [2, 2] }, version)
    expect(await columnNumbers(file, 0)).toEqual([1, 3])
    expect(await columnNumbers(file, 1)).toEqual([2, 4])
  })

  test.each([
    `{"shape": (2L, 2L), "fortran_order": False, "descr": "<f4"}`,
    `{ 'shape':[2,2,],'fortran_order':False,'descr':'=f4' }`,
  ])('as others write them: %s', async (header) => {
    expect(await columnNumbers(await table(header), 1)).toEqual([2, 4])
  })

  test.each([
    [`{'descr': '<f4', 'fortran_order': False}`],
    [`{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 2)}`],
    [`{'descr': '<f4', 'fortran_order': False, 'shape': (2, -2)}`],
    [`{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2.0)}`],
    [`{'descr': '<f4', 'fortran_order': False, 'shape': 4}`],
    [`{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)}}`],
    [`{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)}`],
    [`{'descr': __import__('os').system('true'), 'fortran_order': False, 'shape': (2, 2)}`],
    [`[1, 2]`],
    ['('.repeat(200)],
    [``],
  ])('that are none are refused: %s', async (header) => {
    await expect(table(header)).rejects.toMatchObject({ code: 'DATASET_CORRUPT' })
  })

  test.each([
    ['|O', 'never read'],
    ['<c8', 'complex'],
    ['<f16', 'another size'],
    ['<M8', 'dates'],
    ['|V2', 'raw bytes'],
    ['<U0', 'no characters'],
    ['<q8', 'unknown type'],
    ['f4', 'unknown type'],
  ])('of elements %s are refused by name', async (descr, message) => {
    await expect(table({ descr, shape: [2, 2] })).rejects.toMatchObject(refused('DATASET_UNSUPPORTED', message))
  })

  test('of another version, or of a length beyond the limit, are refused', async () => {
    const future = npyBytes({ descr: '<f4', shape: [2, 2] }, floats(1, 2, 3, 4))
    future[6] = 9
    await expect(openDataset(bytesSource('t.npy', future))).rejects.toMatchObject(
      refused('DATASET_UNSUPPORTED', 'version 9'),
    )
    const long = npyBytes({ descr: '<f4', shape: [2, 2] }, floats(1, 2, 3, 4), 2)
    long.writeUInt32LE(0xffffffff, 8)
    await expect(openDataset(bytesSource('t.npy', long))).rejects.toMatchObject(
      refused('LIMIT_EXCEEDED', '4294967295 bytes'),
    )
    await expect(table({ descr: '<f4', shape: new Array<number>(33).fill(1) })).rejects.toMatchObject(
      refused('LIMIT_EXCEEDED', '33 dimensions'),
    )
    await expect(table({ descr: '<f4', shape: [1e15, 1e15] })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
  })
})

describe('a lone .npy file', () => {
  const open = (shape: number[], options?: DatasetOptions) =>
    openDataset(bytesSource('t.npy', npyBytes({ descr: '<f4', shape }, floats(1, 2, 3, 4, 5, 6))), options)

  test('says how to add labels', async () => {
    for (const [shape, options] of [
      [[2, 3], {}],
      [[6], { labelColumn: '0' }],
      [[1, 2, 3], { labelColumn: '0' }],
      [[6, 1], { labelColumn: '0' }],
    ] as const)
      await expect(open([...shape], options)).rejects.toMatchObject(
        refused('BAD_INPUT', "np.savez('test.npz', x=x, y=y)"),
      )
  })

  test('takes one of its columns as the label', async () => {
    const file = await open([2, 3], { labelColumn: '1' })
    expect(file.columns).toEqual([
      { name: 'x', role: 'FEATURE', dtype: 'float32', shape: [2] },
      { name: 'y', role: 'LABEL', dtype: 'float32', shape: [] },
    ])
    expect(await columnNumbers(file, 0)).toEqual([1, 3, 4, 6])
    expect(await columnNumbers(file, 1)).toEqual([2, 5])
  })

  test.each(['3', '-4', 'y', '', '1.0'])('has no column %j', async (labelColumn) => {
    await expect(open([2, 3], { labelColumn })).rejects.toMatchObject(
      refused('BAD_INPUT', 'give an index from -3 to 2'),
    )
  })

  test('has no named columns', async () => {
    await expect(open([2, 3], { labelColumn: '0', featureColumns: ['1'] })).rejects.toMatchObject({ code: 'BAD_INPUT' })
  })
})

describe('pieces', () => {
  test('are of at most 1 MiB and whole elements, wherever the array lies', async () => {
    const rows = 300_001
    const values = Float64Array.from({ length: rows }, (_, i) => i)
    const x = npyBytes({ descr: '<f8', shape: [rows] }, new Uint8Array(values.buffer))
    const y = npyBytes({ descr: '|b1', shape: [rows] }, new Uint8Array(rows))
    // A name of one more letter moves the data by one byte.
    for (const extra of ['a', 'bc']) {
      const file = await openDataset(npzFile({ [extra]: X, x, y }))
      const { bytes, largest } = await columnBytes(file, 0)
      expect(bytes.equals(Buffer.from(values.buffer))).toBe(true)
      expect(largest).toBe(1 << 20)
      expect(file.statistics(0)).toEqual({ min: 0, max: rows - 1, integral: true })
    }
  })

  test('must have been read before there are statistics', async () => {
    const file = await openDataset(npzFile({ x: X, y: Y }))
    expect(() => file.statistics(0)).toThrow('has not been read to its end')
  })
})

describe('Fortran order', () => {
  const rows = 1000
  // Element (i, j) is 10·i + j; Fortran order runs through i first.
  const data = floats(...Array.from({ length: 3 * rows }, (_, at) => 10 * (at % rows) + Math.floor(at / rows)))
  const x = npyBytes({ descr: '<f4', shape: [rows, 3], fortranOrder: true }, data)
  const y = npyBytes({ descr: '|u1', shape: [rows] }, new Uint8Array(rows))
  const expected = Array.from({ length: rows }, (_, i) => [10 * i, 10 * i + 1, 10 * i + 2]).flat()

  test.each([1, 12 * 7, 12 * rows, 1 << 24])('is turned %i bytes at a time', async (transposeChunkBytes) => {
    const file = await openDataset(npzFile({ x, y }), {}, { ...DEFAULT_DATASET_LIMITS, transposeChunkBytes })
    expect(await columnNumbers(file, 0)).toEqual(expected)
  })

  test('beyond the limit is refused with advice', async () => {
    const limits = { ...DEFAULT_DATASET_LIMITS, maxTransposeBytes: 8 }
    await expect(importAll(npzFile({ x, y }), {}, limits)).rejects.toMatchObject(
      refused('LIMIT_EXCEEDED', 'np.ascontiguousarray(x)'),
    )
  })
})

describe('limits', () => {
  test('of names among labels', async () => {
    const y = npyBytes({ descr: '|S1', shape: [3] }, Buffer.from('abc'))
    const x = npyBytes({ descr: '<f4', shape: [3] }, floats(1, 2, 3))
    const limits = { ...DEFAULT_DATASET_LIMITS, maxLabelNames: 2 }
    await expect(openDataset(npzFile({ x, y }), {}, limits)).rejects.toMatchObject(
      refused('LIMIT_EXCEEDED', 'more than 2 different labels, such as "c"'),
    )
    expect((await openDataset(npzFile({ x, y }))).columns[1]!.names).toEqual(['a', 'b', 'c'])
  })

  test('of the length of labels, and of the number of arrays and columns', async () => {
    const y = npyBytes({ descr: '|S1001', shape: [2] }, Buffer.alloc(2002, 'a'))
    await expect(openDataset(npzFile({ x: X, y }))).rejects.toMatchObject(refused('LIMIT_EXCEEDED', '1001 characters'))
    const limits = { ...DEFAULT_DATASET_LIMITS, maxColumns: 1 }
    await expect(openDataset(npzFile({ x: X, y: Y }), {}, limits)).rejects.toMatchObject(
      refused('LIMIT_EXCEEDED', '2 arrays'),
    )
    await expect(openDataset(bytesSource('t.npy', X), { labelColumn: '0' }, limits)).rejects.toMatchObject(
      refused('LIMIT_EXCEEDED', '3 columns'),
    )
  })
})

describe('safetensors', () => {
  test('of a dtype without numbers is refused where it is needed', async () => {
    const tensors = {
      x: { dtype: 'F8_E5M2', shape: [2], data: Buffer.alloc(2) },
      y: { dtype: 'I64', shape: [2], data: longs(0, 1) },
    }
    await expect(openDataset(safetensorsFile(tensors))).rejects.toMatchObject(
      refused('DATASET_UNSUPPORTED', 'tensor "x" is of dtype float8_e5m2'),
    )
  })

  test('that was cut is corrupt, and one without tensors holds nothing', async () => {
    const whole = safetensorsFile({ y: { dtype: 'I64', shape: [2], data: longs(0, 1) } })
    const bytes = await whole.read(0, whole.size)
    for (const length of [whole.size - 1, 20])
      await expect(openDataset(bytesSource('t.safetensors', bytes.subarray(0, length)))).rejects.toMatchObject(
        refused('DATASET_CORRUPT', 'cut'),
      )
    await expect(openDataset(safetensorsFile({}))).rejects.toMatchObject(refused('DATASET_CORRUPT', 'holds no tensors'))
  })
})

test('a manifest may have more rows than a call takes arguments', async () => {
  const rows = 200_000
  // One white pixel.
  const pixel = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAADElEQVQImWP4//8/AAX+Av5Y8msOAAAAAElFTkSuQmCC',
    'base64',
  )
  const manifest = Buffer.from(`file,y\n${'a.png,0\n'.repeat(rows)}`)
  await using file = await openDataset(bytesSource('d.zip', zipOf({ 'a.png': pixel, 'm.csv': manifest })))
  expect(file.rows).toBe(rows)
  expect(file.columns.map(({ name, shape }) => [name, shape])).toContainEqual(['image', [3, 1, 1]])
})

describe('zips', () => {
  test('of something else are named', async () => {
    for (const [entries, message] of [
      [{ 'readme.txt': Buffer.from('hi') }, '"readme.txt" in it is no .npy array'],
      [{ 'm/data.pkl': Buffer.from('hi'), 'm/version': Buffer.from('3') }, 'is a PyTorch checkpoint'],
    ] as const)
      await expect(openDataset(bytesSource('d.npz', zipOf(entries)))).rejects.toMatchObject(
        refused('DATASET_UNKNOWN_FORMAT', message),
      )
  })

  test('that were cut or damaged are corrupt', async () => {
    const whole = zipOf({ 'x.npy': X, 'y.npy': Y })
    await expect(openDataset(bytesSource('d.npz', whole.subarray(0, -30)))).rejects.toMatchObject({
      code: 'DATASET_CORRUPT',
    })
    await expect(openDataset(bytesSource('d.npz', whole.subarray(0, 100)))).rejects.toMatchObject({
      code: 'DATASET_CORRUPT',
    })
  })
})
