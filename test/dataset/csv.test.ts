import { afterEach, describe, expect, test } from '@jest/globals'
import { DEFAULT_DATASET_LIMITS, openDataset, type DatasetFile, type DatasetOptions } from '../../src/dataset/index.ts'
import { columnBytes, columnNumbers, textFile } from './make-files.ts'

const opened: DatasetFile[] = []
afterEach(async () => {
  for (const file of opened.splice(0)) await file[Symbol.asyncDispose]()
})
async function open(text: string, options?: DatasetOptions, limits = DEFAULT_DATASET_LIMITS): Promise<DatasetFile> {
  const file = await openDataset(textFile('t.csv', text), options, limits)
  opened.push(file)
  return file
}
const refused = (code: string, message: string) => ({ code, message: expect.stringContaining(message) })

/** Everything a small file holds. */
async function read(text: string, options?: DatasetOptions) {
  const file = await open(text, options)
  const [features, labels] = file.columns
  return {
    rows: file.rows,
    x: await columnNumbers(file, 0),
    y: await columnNumbers(file, 1),
    shapes: [features!.shape, labels!.shape],
    label: `${labels!.name} ${labels!.dtype}`,
    names: file.columns.find(({ role }) => role === 'LABEL')?.names ?? null,
  }
}

describe('CSV', () => {
  test('has features in the order of the header and labels by name', async () => {
    expect(await read('a,target,b\n1,0,2.5\n-3e2,1,.5\n')).toEqual({
      rows: 2,
      x: [1, 2.5, -300, 0.5],
      y: [0, 1],
      shapes: [[2], []],
      label: 'target int64',
      names: null,
    })
  })

  test.each([
    ['a BOM', '\ufeffa,y\n1,2\n'],
    ['CRLF', 'a,y\r\n1,2\r\n'],
    ['CR', 'a,y\r1,2\r'],
    ['empty lines', '\na,y\n\n1,2\n\n\n'],
    ['no last line end', 'a,y\n1,2'],
    ['quotes', '"a","y"\n"1","2"\n'],
    ['spaces', 'a , y\n 1 ,  2 \n'],
    ['a plus sign', 'a,y\n+1,2\n'],
  ])('is read with %s', async (_, text) => {
    expect(await read(text)).toMatchObject({ rows: 1, x: [1], y: [2], label: 'y int64' })
  })

  test('has quoted names and labels with commas, quotes and line ends', async () => {
    const result = await read('"a ""b"", c",y\n1,"x, ""y"""\n2,"two\nlines"\n')
    expect(result).toMatchObject({ x: [1, 2], y: [1, 0], names: ['two\nlines', 'x, "y"'] })
  })

  test('maps text labels to codes in the order of Python’s sorted()', async () => {
    const result = await read('a,species\n1,setosa\n2,Äpfel\n3,\uffee\n4,😀\n5,setosa\n6,10\n7,9\n', {
      labelColumn: 'species',
    })
    expect(result.names).toEqual(['10', '9', 'setosa', 'Äpfel', '\uffee', '😀'])
    expect(result.y).toEqual([2, 3, 4, 5, 2, 0, 1])
  })

  test('keeps whole-number labels as they are, and others as float64', async () => {
    expect(await read('a,y\n1,-5\n2,7.0\n')).toMatchObject({ y: [-5, 7], label: 'y int64', names: null })
    expect(await read('a,y\n1,0.1\n2,1\n')).toMatchObject({ y: [0.1, 1], label: 'y float64', names: null })
    expect(await read('a,y\n1,1e300\n2,1\n')).toMatchObject({ y: [1e300, 1], label: 'y float64' })
  })

  test('takes nan and none as class names among other text', async () => {
    expect(await read('a,y\n1,none\n2,some\n3,nan\n')).toMatchObject({ names: ['nan', 'none', 'some'], y: [1, 2, 0] })
  })

  test('has several label columns for MULTILABEL', async () => {
    const text = 'cat,a,dog,"x,y"\n1,0.5,0,7\n0,1.5,1,8\n'
    expect(await read(text, { labelColumn: 'dog, cat' })).toEqual({
      rows: 2,
      x: [0.5, 7, 1.5, 8],
      y: [0, 1, 1, 0],
      shapes: [[2], [2]],
      label: 'dog,cat int64',
      names: null,
    })
    expect(await read(text, { labelColumn: 'x,y' })).toMatchObject({ y: [7, 8], shapes: [[3], []] })
    expect(await read('a,b,y\n1,1,2\n3,.5,4\n', { labelColumn: 'b,y' })).toMatchObject({
      y: [1, 2, 0.5, 4],
      label: 'b,y float64',
    })
  })

  test('uses only the features that are chosen', async () => {
    expect(await read(',a,note,y\n0,1,hello,0\n1,2,world,1\n', { featureColumns: ['a'] })).toMatchObject({ x: [1, 2] })
  })

  test('calls the features so that no label has the name', async () => {
    expect((await open('a,x\n1,2\n', { labelColumn: 'x' })).columns.map(({ name }) => name)).toEqual(['features', 'x'])
  })

  test('has another delimiter when it is told so', async () => {
    expect(await read('a;y\n1;2\n', { delimiter: ';' })).toMatchObject({ x: [1], y: [2] })
    expect(await read('a\ty\n1\t2\n', { delimiter: '\t' })).toMatchObject({ x: [1], y: [2] })
  })

  test('has the statistics of its columns', async () => {
    const file = await open('a,b,y\n1,2.5,0\n-3,4,1\n')
    expect(file.statistics(0)).toEqual({ min: -3, max: 4, integral: false })
    expect(file.statistics(1)).toEqual({ min: 0, max: 1, integral: true })
    const text = await open('a,y\n1,b\n2,a\n')
    expect(text.statistics(0)).toEqual({ min: 1, max: 2, integral: true })
    expect(text.statistics(1)).toEqual({ min: 0, max: 1, integral: true })
  })

  test('comes in pieces of at most 1 MiB', async () => {
    const rows = 50_000
    const lines = Array.from({ length: rows }, (_, i) => `${i},1,2,3,4,5,6,${i % 3}`)
    const file = await open(`a,b,c,d,e,f,g,y\n${lines.join('\n')}\n`)
    const { bytes, largest } = await columnBytes(file, 0)
    expect(bytes.length).toBe(rows * 7 * 4)
    expect(largest).toBeLessThanOrEqual(1 << 20)
    expect(bytes.readFloatLE(49_999 * 28)).toBe(49_999)
    expect((await columnBytes(file, 1)).bytes.readBigInt64LE(8 * 49_999)).toBe(BigInt(49_999 % 3))
  })
})

describe('a bad CSV says where it is bad:', () => {
  test.each([
    ['a ragged row', 'a,b,y\n1,2,0\n\n3,4\n', 'DATASET_CORRUPT', 't.csv: line 4 has 2 fields, the header has 3'],
    ['a row too long', 'a,y\r\n1,2\r\n3,4,5\r\n', 'DATASET_CORRUPT', 't.csv: line 3 has 3 fields, the header has 2'],
    ['a ragged row after a quoted line end', 'a,y\n"1\n",2\n3\n', 'DATASET_CORRUPT', 'line 4 has 1 fields'],
    ['text as a feature', 'a,b,y\n1,2,0\n3,red,1\n', 'DATASET_CORRUPT', 'line 3, column "b": "red" is no number'],
    ['hexadecimal', 'a,y\n0x1f,0\n', 'DATASET_CORRUPT', 'line 2, column "a": "0x1f" is no number'],
    ['a number with units', 'a,y\n1 kg,0\n', 'DATASET_CORRUPT', '"1 kg" is no number'],
    ['thousands', 'a,y\n"1,000",0\n', 'DATASET_CORRUPT', '"1,000" is no number'],
    ['a missing feature', 'a,b,y\n1,,0\n', 'DATASET_NOT_FINITE', 'line 2, column "b" is missing'],
    ['a blank feature', 'a,b,y\n1,\u00a0 ,0\n', 'DATASET_NOT_FINITE', 'line 2, column "b" is missing'],
    [
      'NaN',
      'a,y\n"x\ny",1\n'.replace('"x\ny"', '"1\n"') + 'NaN,0\n',
      'DATASET_NOT_FINITE',
      'line 4, column "a" is "NaN"',
    ],
    ['an infinity', 'a,y\n-inf,0\n', 'DATASET_NOT_FINITE', 'is "-inf", not a finite float32 number'],
    ['beyond float32', 'a,y\n1e39,0\n', 'DATASET_NOT_FINITE', 'is "1e39", not a finite float32 number'],
    ['beyond float64', 'a,y\n1e999,0\n', 'DATASET_NOT_FINITE', 'is "1e999"'],
    ['a missing label', 'a,y\n1,0\n2,\n', 'DATASET_NOT_FINITE', 'line 3, column "y": the label is missing'],
    [
      'a missing text label',
      'a,y\n1,cat\n2,\n3,dog\n',
      'DATASET_NOT_FINITE',
      'line 3, column "y": the label is missing',
    ],
    ['a NaN label', 'a,y\n1,0\n2,nan\n', 'DATASET_NOT_FINITE', 'line 3, column "y": the label is "nan"'],
    ['an open quote', 'a,y\n"1,0\n2,1\n', 'DATASET_CORRUPT', 'still open at the end of the file'],
    ['a quote inside', 'a,y\n1"2,0\n', 'DATASET_CORRUPT', 'line 2'],
    ['text after a quote', 'a,y\n"1"2,0\n', 'DATASET_CORRUPT', 'line 2'],
    ['no rows', 'a,y\n', 'DATASET_CORRUPT', 'a header and no rows'],
    ['no lines', '\n\n', 'DATASET_CORRUPT', 'no lines'],
    ['no header', '1.5,2\n3,4\n', 'DATASET_CORRUPT', 'line 1 holds numbers (1.5, 2, …)'],
    ['a column twice', 'a,a,y\n1,2,0\n', 'DATASET_CORRUPT', 'two columns called "a"'],
    ['the index of pandas', ',a,y\n0,1,0\n', 'DATASET_CORRUPT', 'column 1 has no name (pandas'],
    ['other separators', 'a;b;y\n1;2;0\n', 'BAD_INPUT', 'separated by ";"'],
    ['no label column', 'a,b\n1,2\n', 'BAD_INPUT', 'It has the columns a, b'],
    ['two label columns', 'a,y,class\n1,2,3\n', 'BAD_INPUT', 'y and class could both be the labels'],
    ['labels only', 'y\n1\n', 'BAD_INPUT', 'no columns besides y'],
  ])('%s', async (_, text, code, message) => {
    await expect(open(text)).rejects.toMatchObject(refused(code, message))
  })

  test.each([
    ['no such label', { labelColumn: 'z' }, 'has no column "z" (labelColumn). It has the columns a, b, y'],
    ['no such label among several', { labelColumn: 'a,z' }, 'has no column "z"'],
    ['the same label twice', { labelColumn: 'a,a' }, 'names "a" twice'],
    ['no such feature', { featureColumns: ['z'] }, 'has no column "z" (featureColumns)'],
    ['a label as a feature', { featureColumns: ['y'] }, '"y" is named twice'],
    ['an impossible delimiter', { delimiter: '"' }, 'cannot stand between fields'],
  ])('%s', async (_, options, message) => {
    await expect(open('a,b,y\n1,2,3\n', options)).rejects.toMatchObject(refused('BAD_INPUT', message))
  })

  test('bytes that are not UTF-8', async () => {
    const latin = (text: string) => openDataset({ ...textFile('t.csv', ''), ...bytesOf(Buffer.from(text, 'latin1')) })
    await expect(latin('größe,y\n1,0\n')).rejects.toMatchObject(refused('DATASET_CORRUPT', 'line 1 is not UTF-8'))
    await expect(latin('a,y\n1,öl\n')).rejects.toMatchObject(refused('DATASET_CORRUPT', 'is not UTF-8 text'))
  })

  test('text in one of several label columns', async () => {
    await expect(open('a,b,y\n1,no,0\n', { labelColumn: 'y,b' })).rejects.toMatchObject(
      refused('DATASET_UNSUPPORTED', 'column "b" holds text'),
    )
  })

  test('more than the limits allow', async () => {
    const limits = { ...DEFAULT_DATASET_LIMITS, maxColumns: 2, maxRecordBytes: 100, maxLabelNames: 2 }
    await expect(open('a,b,y\n1,2,3\n', {}, limits)).rejects.toMatchObject(refused('LIMIT_EXCEEDED', '3 columns'))
    await expect(open(`a,y\n1,"${'x'.repeat(200)}\n`, {}, limits)).rejects.toMatchObject(
      refused('LIMIT_EXCEEDED', 'longer than 100 bytes'),
    )
    await expect(open('a,y\n1,u\n2,v\n3,w\n', {}, limits)).rejects.toMatchObject(
      refused('LIMIT_EXCEEDED', 'more than 2'),
    )
    await expect(open('a,y\n1,1\n2,2\n3,3\n4,w\n', {}, limits)).rejects.toMatchObject(
      refused('LIMIT_EXCEEDED', 'such as "3"'),
    )
    expect((await open('a,y\n1,1\n2,2\n3,3\n', {}, limits)).rows).toBe(3)
  })

  test('a source that fails while it is read', async () => {
    const source = textFile('t.csv', 'a,y\n1,2\n')
    let reads = 0
    const failing = {
      ...source,
      read: (offset: number, length: number) =>
        ++reads > 1 ? Promise.reject(new Error('disk on fire')) : source.read(offset, length),
    }
    await expect(openDataset(failing)).rejects.toThrow('disk on fire')
  })
})

const bytesOf = (bytes: Buffer) => ({
  size: bytes.length,
  read: (offset: number, length: number) => Promise.resolve(bytes.subarray(offset, offset + length)),
})
