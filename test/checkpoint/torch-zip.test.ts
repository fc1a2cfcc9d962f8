import { describe, expect, test } from '@jest/globals'
import { bytesSource, type ByteSource } from '../../src/container/index.ts'
import { readCheckpoint, tensorBytes } from '../../src/checkpoint/index.ts'
import { buildZip, type EntrySpec } from '../container/build-zip.ts'
import { collect, open, openValue, SIX_FLOATS, torchEntries, torchFile } from './build-checkpoint.ts'
import {
  call,
  dict,
  FALSE,
  global,
  int,
  list,
  ORDERED_DICT,
  pickle,
  storage,
  tensor,
  tuple,
  type Part,
} from './build-pickle.ts'

const VALUE = tensor()
const entries = torchEntries(pickle(VALUE))
const change = (name: string, spec: Partial<EntrySpec>): EntrySpec[] =>
  entries.map((entry) => (entry.name === `archive/${name}` ? { ...entry, ...spec } : entry))

describe('the records of a file of torch.save', () => {
  test('give the bytes of a storage, whole or in part', async () => {
    const checkpoint = await openValue(VALUE)
    expect(await collect(checkpoint.readStorage(0))).toEqual(SIX_FLOATS)
    expect(await collect(checkpoint.readStorage(0, 4, 8))).toEqual(SIX_FLOATS.subarray(4, 12))
    expect(await collect(checkpoint.readStorage(0, 24))).toHaveLength(0)
    expect(() => checkpoint.readStorage(0, 20, 5)).toThrow(RangeError)
    expect(() => checkpoint.readStorage(0, -1)).toThrow(RangeError)
    expect(() => checkpoint.readStorage(1)).toThrow(RangeError)
  })

  test('may be deflated', async () => {
    const deflated = entries.map((entry) => ({ ...entry, deflate: true }))
    const checkpoint = await open(buildZip(deflated))
    expect(await collect(checkpoint.readStorage(0))).toEqual(SIX_FLOATS)
    expect(await collect(checkpoint.readStorage(0, 4, 8))).toEqual(SIX_FLOATS.subarray(4, 12))
  })

  test('may be empty', async () => {
    const value = tensor({ storage: storage('FloatStorage', '0', 0), size: [0], stride: [1] })
    const checkpoint = await openValue(value, { 'data/0': '' })
    expect(await collect(checkpoint.readStorage(0))).toHaveLength(0)
    expect(await collect(tensorBytes(checkpoint, 0))).toHaveLength(0)
  })

  test('may have no byteorder and the version elsewhere, as older PyTorch wrote them', async () => {
    const records = { 'data/0': SIX_FLOATS, byteorder: undefined, '.data/version': '6\n' }
    const old = torchEntries(pickle(VALUE), records).filter(({ name }) => name !== 'archive/version')
    expect((await open(buildZip(old))).warnings).toEqual([])
  })

  test('with a wrong CRC are read, and the user is told', async () => {
    const checkpoint = await open(buildZip(change('data/0', { crc: 5 })))
    expect(checkpoint.warnings).toEqual([])
    expect(await collect(checkpoint.readStorage(0))).toEqual(SIX_FLOATS)
    expect(checkpoint.warnings).toEqual([expect.stringContaining('"archive/data/0" has CRC-32')])
    const pickled = await open(buildZip(change('data.pkl', { crc: 5 })))
    expect(pickled.warnings).toEqual([expect.stringContaining('"archive/data.pkl" has CRC-32')])
  })

  test('without CRCs are read', async () => {
    const checkpoint = await open(buildZip(entries.map((entry) => ({ ...entry, crc: 0 }))))
    await collect(checkpoint.readStorage(0))
    expect(checkpoint.warnings).toEqual([])
  })

  test('of a big-endian machine are swapped, and the user is told', async () => {
    const swapped = (bytes: Buffer, unit: number): Buffer =>
      unit === 4 ? Buffer.from(bytes).swap32() : Buffer.from(bytes).swap64()
    const doubles = Buffer.from(new Float64Array([1, 2, 3]).buffer)
    const value = list(
      tensor(),
      tensor({ storage: storage('DoubleStorage', '1', 3), size: [3], stride: [1] }),
      tensor({ storage: storage('ComplexFloatStorage', '2', 3), size: [3], stride: [1] }),
      tensor({ storage: storage('ByteStorage', '3', 24), size: [24], stride: [1] }),
    )
    for (const deflate of [false, true]) {
      const records = {
        byteorder: 'big',
        'data/0': swapped(SIX_FLOATS, 4),
        'data/1': swapped(doubles, 8),
        'data/2': swapped(SIX_FLOATS, 4),
        'data/3': SIX_FLOATS,
      }
      const checkpoint = await open(
        buildZip(torchEntries(pickle(value), records).map((entry) => ({ ...entry, deflate }))),
      )
      expect(checkpoint.warnings).toEqual([expect.stringContaining('big-endian')])
      expect(await collect(checkpoint.readStorage(0))).toEqual(SIX_FLOATS)
      expect(await collect(checkpoint.readStorage(0, 5, 9))).toEqual(SIX_FLOATS.subarray(5, 14))
      expect(await collect(checkpoint.readStorage(1))).toEqual(doubles)
      expect(await collect(checkpoint.readStorage(2))).toEqual(SIX_FLOATS)
      expect(await collect(checkpoint.readStorage(3))).toEqual(SIX_FLOATS)
    }
  })

  test('of a big-endian machine with bytes of unknown type are refused', async () => {
    const v3: Part = call(
      global('torch._utils', '_rebuild_tensor_v3'),
      storage('UntypedStorage', '0', 24),
      int(0),
      tuple(int(12)),
      tuple(int(1)),
      FALSE,
      ORDERED_DICT,
      global('torch', 'uint16'),
    )
    await expect(openValue(v3, { byteorder: 'big', 'data/0': SIX_FLOATS })).rejects.toMatchObject({
      code: 'CHECKPOINT_UNSUPPORTED',
      message: expect.stringContaining('uint16'),
    })
  })
})

describe('a changed file of torch.save is refused:', () => {
  test.each<[string, EntrySpec[], string, RegExp]>([
    [
      'without a version',
      entries.filter(({ name }) => name !== 'archive/version'),
      'CHECKPOINT_CORRUPT',
      /'version' is missing/,
    ],
    [
      'with version 11',
      torchEntries(pickle(VALUE), { 'data/0': SIX_FLOATS, version: '11\n' }),
      'CHECKPOINT_UNSUPPORTED',
      /version 11/,
    ],
    [
      'with version 0',
      torchEntries(pickle(VALUE), { 'data/0': SIX_FLOATS, version: '0' }),
      'CHECKPOINT_UNSUPPORTED',
      /version 0/,
    ],
    [
      'with a version that is no number',
      torchEntries(pickle(VALUE), { version: 'three' }),
      'CHECKPOINT_CORRUPT',
      /"three"/,
    ],
    [
      'with a version of 65 bytes',
      torchEntries(pickle(VALUE), { version: '3'.repeat(65) }),
      'CHECKPOINT_CORRUPT',
      /65 bytes/,
    ],
    [
      'with byteorder "little\\n"',
      torchEntries(pickle(VALUE), { byteorder: 'little\n' }),
      'CHECKPOINT_CORRUPT',
      /little\\n/,
    ],
    [
      'with something outside of its folder',
      [...entries, { name: '__MACOSX/x', data: SIX_FLOATS }],
      'CHECKPOINT_CORRUPT',
      /__MACOSX/,
    ],
    [
      'with data.pkl in two cases',
      [...entries, { name: 'archive/DATA.PKL', data: SIX_FLOATS }],
      'CHECKPOINT_CORRUPT',
      /but for case/,
    ],
    ['with two data.pkl', [...entries, entries[0]!], 'CHECKPOINT_CORRUPT', /two entries named/],
    [
      'with data.pkl one folder down',
      entries.map((e) => ({ ...e, name: `x/${e.name}` })),
      'CHECKPOINT_UNKNOWN_FORMAT',
      /without the data\.pkl/,
    ],
    [
      'with a deflated bomb',
      change('data/0', { data: Buffer.alloc(80 << 20), deflate: true, descriptor: false }),
      'LIMIT_EXCEEDED',
      /inflates from/,
    ],
  ])('%s', async (_name, spec, code, message) => {
    await expect(open(buildZip(spec))).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  test('with a storage that does not inflate, when it is read', async () => {
    const checkpoint = await open(
      buildZip(change('data/0', { deflate: true, payload: Buffer.alloc(9, 255), size: 24 })),
    )
    await expect(collect(checkpoint.readStorage(0))).rejects.toMatchObject({ code: 'CHECKPOINT_CORRUPT' })
  })
})

describe('other zip files are called by their names:', () => {
  const zip = (...names: readonly string[]): Buffer => buildZip(names.map((name) => ({ name, data: Buffer.from('x') })))

  test.each<[string, Buffer, string, RegExp]>([
    ['a NumPy archive', zip('x.npy', 'y.npy'), 'CHECKPOINT_UNKNOWN_FORMAT', /NumPy archive.*dataset/],
    [
      'TorchScript',
      zip('m/data.pkl', 'm/constants.pkl', 'm/version'),
      'CHECKPOINT_UNSUPPORTED',
      /TorchScript.*state_dict/,
    ],
    [
      'an exported program',
      zip('m/archive_format', 'm/models/model.json'),
      'CHECKPOINT_UNSUPPORTED',
      /exported program/,
    ],
    ['Keras', zip('metadata.json', 'model.weights.h5'), 'CHECKPOINT_UNKNOWN_FORMAT', /Keras/],
    ['a document', zip('[Content_Types].xml', 'word/document.xml'), 'CHECKPOINT_UNKNOWN_FORMAT', /Office/],
    ['a zipped checkpoint', zip('weights/model.pth'), 'CHECKPOINT_UNKNOWN_FORMAT', /Unpack it/],
    ['a distributed checkpoint', zip('ckpt/.metadata', 'ckpt/__0_0.distcp'), 'CHECKPOINT_UNSUPPORTED', /distributed/],
    ['anything else', zip('readme.txt', 'src/a.c'), 'CHECKPOINT_UNKNOWN_FORMAT', /holds "readme\.txt", "src\/a\.c"/],
    ['nothing', buildZip([]), 'CHECKPOINT_UNKNOWN_FORMAT', /empty zip/],
  ])('%s', async (_name, bytes, code, message) => {
    await expect(open(bytes)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })
})

test('disposing a checkpoint disposes its source', async () => {
  let closed = 0
  const source: ByteSource & AsyncDisposable = {
    ...bytesSource('model.pth', torchFile(dict({ a: VALUE }))),
    [Symbol.asyncDispose]: () => {
      closed++
      return Promise.resolve()
    },
  }
  {
    await using checkpoint = await readCheckpoint(source)
    expect(checkpoint.tensors).toHaveLength(1)
    expect(closed).toBe(0)
  }
  expect(closed).toBe(1)
})
