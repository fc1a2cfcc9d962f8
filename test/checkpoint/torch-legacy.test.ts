import { describe, expect, test } from '@jest/globals'
import { readCheckpoint, tensorBytes, DEFAULT_CHECKPOINT_LIMITS } from '../../src/checkpoint/index.ts'
import { bytesSource, type ByteSource } from '../../src/container/index.ts'
import { collect, open, rootOf, SIX_FLOATS } from './build-checkpoint.ts'
import { legacyFile, legacyStorage, legacyTensor, MAGIC, type LegacySpec, type LegacyStorage } from './build-legacy.ts'
import { BINPERSID, call, dict, FALSE, global, int, list, NONE, str, tuple, type Part } from './build-pickle.ts'

const SIX: LegacyStorage = { key: '94', bytes: SIX_FLOATS, count: 6 }
const PAIR: LegacyStorage = { key: '12', bytes: Buffer.from(new BigInt64Array([7n, -7n]).buffer), count: 2 }
const six = legacyTensor(legacyStorage('FloatStorage', '94', 6), [2, 3], [3, 1])
const pair = legacyTensor(legacyStorage('LongStorage', '12', 2), [2], [1])
const floats = (bytes: Buffer): number[] => [...new Float32Array(new Uint8Array(bytes).buffer)]

describe('a file of torch.save before 1.6', () => {
  test('gives its values, tensors and storages, whatever their order in the file', async () => {
    const checkpoint = await open(legacyFile(dict({ w: six, n: pair }), [PAIR, SIX]))
    expect(checkpoint.format).toBe('torch-legacy')
    expect(checkpoint.storages).toEqual([
      { key: '94', dtype: 'float32', byteLength: 24, location: 'cpu' },
      { key: '12', dtype: 'int64', byteLength: 16, location: 'cpu' },
    ])
    expect(await collect(checkpoint.readStorage(0))).toEqual(SIX_FLOATS)
    expect(await collect(checkpoint.readStorage(1))).toEqual(PAIR.bytes)
    expect(await collect(checkpoint.readStorage(0, 4, 8))).toEqual(SIX_FLOATS.subarray(4, 12))
    expect(() => checkpoint.readStorage(0, 20, 5)).toThrow(RangeError)
    expect(checkpoint.warnings).toEqual([])
  })

  test('may hold views of a storage by view_metadata', async () => {
    const view = legacyStorage('FloatStorage', '94', 6, ['95', 2, 3])
    const checkpoint = await open(legacyFile(list(legacyTensor(view, [2], [1], 1), six, view), [SIX]))
    expect(checkpoint.tensors.map(({ storage, storageOffset, shape }) => [storage, storageOffset, shape])).toEqual([
      [0, 3, [2]],
      [0, 0, [2, 3]],
      [0, 2, [3]],
    ])
    expect(floats(await collect(tensorBytes(checkpoint, 0)))).toEqual([3.5, 4.5])
    expect(floats(await collect(tensorBytes(checkpoint, 2)))).toEqual([2.5, 3.5, 4.5])
  })

  test('of a big-endian machine has little-endian numbers, as torch.load reads them, and the user is told', async () => {
    const system = dict({ little_endian: FALSE })
    const checkpoint = await open(legacyFile(six, [SIX], { system }))
    expect(await collect(checkpoint.readStorage(0))).toEqual(SIX_FLOATS)
    expect(checkpoint.warnings).toEqual([expect.stringContaining('big-endian machine')])
  })

  test('may be followed by something, and the user is told', async () => {
    const checkpoint = await open(legacyFile(six, [SIX], { trailing: Buffer.alloc(9) }))
    expect(checkpoint.warnings).toEqual([expect.stringContaining('9 bytes after the last storage')])
  })

  test('names its globals by their bytes in the file', async () => {
    const file = legacyFile(six, [SIX])
    const { globals } = await open(file)
    expect(globals.map(({ name }) => name)).toEqual(['_rebuild_tensor_v2', 'FloatStorage', 'OrderedDict'])
    for (const { module, offset } of globals)
      expect(file.toString('latin1', offset, offset + 1 + module.length)).toBe(`c${module}`)
  })

  test('without tensors', async () => {
    expect(rootOf(await open(legacyFile(str('no tensors'), [])))).toEqual({ kind: 'string', value: 'no tensors' })
  })

  test('is read by ranges: the storages are not touched, whatever their size', async () => {
    const pickles = legacyFile(legacyTensor(legacyStorage('ByteStorage', '1', 2 ** 40), [1], [1]), [], {
      keys: list(str('1')),
    })
    const file = Buffer.concat([pickles, Buffer.from(new BigInt64Array([2n ** 40n]).buffer)])
    let most = 0
    const source: ByteSource = {
      name: 'big.pth',
      size: file.length + 2 ** 40,
      read: async (offset, length) => {
        most = Math.max(most, length)
        const bytes = new Uint8Array(length)
        bytes.set(file.subarray(offset, offset + length))
        return Promise.resolve(bytes)
      },
    }
    const checkpoint = await readCheckpoint(source)
    expect(checkpoint.storages[0]!.byteLength).toBe(2 ** 40)
    expect(most).toBeLessThanOrEqual(64 << 10)
  })

  test('with a pickle longer than the first read', async () => {
    const long = 'x'.repeat(300_000)
    const checkpoint = await open(legacyFile(dict({ text: str(long), w: six }), [SIX]))
    expect(checkpoint.tree.nodes).toContainEqual({ kind: 'string', value: long })
    expect(await collect(checkpoint.readStorage(0))).toEqual(SIX_FLOATS)
  })
})

describe('a broken file of torch.save before 1.6 is refused:', () => {
  const CORRUPT = 'CHECKPOINT_CORRUPT'
  const of = (value: Part, storages: readonly LegacyStorage[] = [SIX], spec: LegacySpec = {}): Buffer =>
    legacyFile(value, storages, spec)
  const partOf = (offset: number, numel: number): Part =>
    legacyTensor(legacyStorage('FloatStorage', '94', 6, ['95', offset, numel]), [1], [1])

  test.each<[string, Buffer, string, RegExp]>([
    [
      'another version',
      of(six, [SIX], { version: int(1000) }),
      'CHECKPOINT_UNSUPPORTED',
      /format is 1000 instead of 1001/,
    ],
    ['system information that is none', of(six, [SIX], { system: NONE }), CORRUPT, /system information/],
    ['a count that differs', of(six, [{ ...SIX, count: 7 }]), CORRUPT, /has 7 elements, the pickle says 6/],
    ['a negative count', of(six, [{ ...SIX, count: -1 }]), CORRUPT, /has -1 elements/],
    ['a storage that is not listed', of(six, [SIX], { keys: list() }), CORRUPT, /"94" is not in the list/],
    ['a storage that is listed twice', of(six, [SIX, SIX]), CORRUPT, /"94" twice/],
    ['a storage that no tensor uses', of(six, [SIX, PAIR]), CORRUPT, /"12", which no tensor uses/],
    ['keys that are no list', of(six, [SIX], { keys: dict({}) }), CORRUPT, /no list of strings/],
    ['keys that are numbers', of(six, [SIX], { keys: list(int(94)) }), CORRUPT, /no list of strings/],
    ['a storage that is cut', of(six).subarray(0, -1), CORRUPT, /it was cut/],
    ['nothing behind the pickles', of(six, [], { keys: list(str('94')) }), CORRUPT, /it was cut/],
    ['a view outside of its storage', of(partOf(5, 2)), CORRUPT, /bytes 20\.\.28 are outside/],
    ['a view before its storage', of(partOf(-1, 2)), CORRUPT, /outside/],
    [
      'a tensor outside of its view',
      of(legacyTensor(legacyStorage('FloatStorage', '94', 6, ['95', 0, 2]), [3], [1])),
      CORRUPT,
      /2 elements/,
    ],
    ['a view at two places', of(list(partOf(0, 2), partOf(1, 2))), CORRUPT, /"view 95" is named twice/],
    [
      'a storage of two types',
      of(list(six, legacyTensor(legacyStorage('IntStorage', '94', 6), [1], [1]))),
      CORRUPT,
      /named twice/,
    ],
    [
      'a persistent id of five',
      of(
        legacyTensor(
          Buffer.concat([
            tuple(str('storage'), global('torch', 'FloatStorage'), str('94'), str('cpu'), int(6)),
            BINPERSID,
          ]),
          [1],
          [1],
        ),
      ),
      CORRUPT,
      /5 arguments instead of 6/,
    ],
    [
      'a module that is on the list',
      of(Buffer.concat([tuple(str('module'), global('torch', 'Size'), NONE, NONE), BINPERSID])),
      CORRUPT,
      /persistent id/,
    ],
    ['no magic number', of(six, [SIX], { magic: int(3) }), 'CHECKPOINT_UNKNOWN_FORMAT', /plain Python pickle/],
  ])('%s', async (_name, bytes, code, message) => {
    await expect(open(bytes)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  test('cut anywhere', async () => {
    const whole = of(dict({ w: six }))
    for (let length = 16; length < whole.length; length += 3)
      await expect(open(whole.subarray(0, length))).rejects.toMatchObject({ code: CORRUPT })
  })

  test('pickles longer than the limit', async () => {
    const limits = { ...DEFAULT_CHECKPOINT_LIMITS, pickle: { ...DEFAULT_CHECKPOINT_LIMITS.pickle, maxBytes: 200 } }
    const file = of(str('x'.repeat(300)))
    await expect(readCheckpoint(bytesSource('model.pth', file), limits)).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: expect.stringContaining('more than 200 bytes'),
    })
  })

  test.each<[string, Part, LegacySpec]>([
    ['in the object', list(six, call(global('os', 'system'), str('id'))), {}],
    ['in the version', six, { version: call(global('os', 'system'), str('id')) }],
    ['in the system information', six, { system: call(global('os', 'system'), str('id')) }],
    ['in the list of storages', six, { keys: call(global('os', 'system'), str('id')) }],
  ])('a command %s', async (_name, value, spec) => {
    await expect(open(of(value, [SIX], spec))).rejects.toMatchObject({
      code: 'CHECKPOINT_UNSAFE_GLOBAL',
      message: expect.stringMatching(/byte \d+: .*os\.system, which runs a command/),
    })
  })

  test('the same magic number in another protocol is recognised', async () => {
    const protocol4 = Buffer.concat([
      Buffer.from('80049500000000000000', 'hex'),
      Buffer.alloc(1),
      MAGIC,
      Buffer.from('.'),
    ])
    protocol4.writeUInt8(13, 3)
    const rest = of(six).subarray(15)
    expect((await open(Buffer.concat([protocol4, rest]))).format).toBe('torch-legacy')
  })
})
