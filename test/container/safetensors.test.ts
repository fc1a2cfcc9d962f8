import { describe, expect, test } from '@jest/globals'
import {
  bytesSource,
  DEFAULT_SAFETENSORS_LIMITS,
  fileSource,
  readSafetensorsHeader,
  type SafetensorsHeader,
  type SafetensorsLimits,
} from '../../src/container/index.ts'

const CODES = { corrupt: 'CHECKPOINT_CORRUPT', unsupported: 'CHECKPOINT_UNSUPPORTED' } as const

function file(header: string | Uint8Array, data = 0, declared?: bigint): Uint8Array {
  const text = Buffer.from(header)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(declared ?? BigInt(text.length))
  return Buffer.concat([length, text, Buffer.alloc(data)])
}

const read = (bytes: Uint8Array, limits?: Partial<SafetensorsLimits>): Promise<SafetensorsHeader> =>
  readSafetensorsHeader(bytesSource('x.safetensors', bytes), {
    ...CODES,
    limits: { ...DEFAULT_SAFETENSORS_LIMITS, ...limits },
  })

const A = '"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}'
const B = '"b":{"dtype":"I64","shape":[],"data_offsets":[24,32]}'

describe('a safetensors header', () => {
  test('gives tensors in the order of their data, with absolute offsets', async () => {
    const header = `{${B},"__metadata__":{"format":"pt"},${A},"e":{"dtype":"BF16","shape":[0],"data_offsets":[24,24]}}`
    const { tensors, metadata } = await read(file(header, 32))
    const start = 8 + header.length
    expect(tensors).toEqual([
      { name: 'a', dtype: 'float32', shape: [2, 3], offset: start, byteLength: 24 },
      { name: 'e', dtype: 'bfloat16', shape: [0], offset: start + 24, byteLength: 0 },
      { name: 'b', dtype: 'int64', shape: [], offset: start + 24, byteLength: 8 },
    ])
    expect([...metadata]).toEqual([['format', 'pt']])
  })

  test.each([
    ['no tensors', '{}', 0],
    ['spaces around it, as the reference accepts', ` \n{${A}}  \n`, 24],
    ['metadata null, as the reference accepts', `{"__metadata__":null,${A}}`, 24],
    ['more fields than needed', `{"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24],"note":{"by":["me"]}}}`, 24],
    ['a tensor named like a prototype', '{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1],
    ['escapes and colons in names', String.raw`{"a\":{},[\\":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1],
  ])('with %s is read', async (_name, header, data) => {
    const { tensors } = await read(file(header, data))
    expect(tensors.reduce((sum, { byteLength }) => sum + byteLength, 0)).toBe(data)
  })

  test.each([
    ['F4', '[2,4]', 4, { dtype: 'float4_e2m1fn_x2', shape: [2, 2] }],
    ['F4', '[2,1]', 1, { dtype: 'uint8', shape: [1], packed: { dtype: 'F4', shape: [2, 1] } }],
    ['F6_E2M3', '[4]', 3, { dtype: 'uint8', shape: [3], packed: { dtype: 'F6_E2M3', shape: [4] } }],
    ['F6_E3M2', '[2,2,1]', 3, { dtype: 'uint8', shape: [3], packed: { dtype: 'F6_E3M2', shape: [2, 2, 1] } }],
    ['F8_E8M0', '[2]', 2, { dtype: 'float8_e8m0fnu', shape: [2] }],
  ])('with %s %s is read by its bytes', async (dtype, shape, bytes, expected) => {
    const { tensors } = await read(file(tensor(dtype, shape, `[0,${bytes}]`), bytes))
    expect(tensors).toEqual([{ name: 'a', offset: expect.any(Number), byteLength: bytes, ...expected }])
  })

  test('of a real file is read', async () => {
    await using source = await fileSource(new URL('../fixtures/digits_cnn.safetensors', import.meta.url).pathname)
    const { tensors } = await readSafetensorsHeader(source, CODES)
    expect(tensors).toHaveLength(18)
    expect(tensors.at(-1)!.offset + tensors.at(-1)!.byteLength).toBe(source.size)
  })
})

const tensor = (dtype: string, shape: string, offsets: string): string =>
  `{"a":{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}}`

describe('a forged safetensors file is refused:', () => {
  test.each<[string, Uint8Array, string, RegExp]>([
    ['too short', Buffer.alloc(7), 'CHECKPOINT_CORRUPT', /7 bytes/],
    ['a header longer than the format allows', file('{}', 0, 100_000_001n), 'CHECKPOINT_CORRUPT', /100000001/],
    ['a header of 2^64 - 1 bytes', file('{}', 0, 2n ** 64n - 1n), 'CHECKPOINT_CORRUPT', /header length/],
    ['a header longer than our limit', file('{}', 0, 99_000_000n), 'LIMIT_EXCEEDED', /99000000/],
    ['a header longer than the file', file('{}', 0, 100n), 'CHECKPOINT_CORRUPT', /cut/],
    ['NUL padding', file('{}\0\0'), 'CHECKPOINT_CORRUPT', /JSON/],
    ['a byte order mark', file('\ufeff{}'), 'CHECKPOINT_CORRUPT', /JSON/],
    ['no UTF-8', file(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])), 'CHECKPOINT_CORRUPT', /JSON/],
    ['an array', file('[]'), 'CHECKPOINT_CORRUPT', /no JSON object/],
    ['a repeated name', file(`{${A},${A}}`, 24), 'CHECKPOINT_CORRUPT', /repeated/],
    [
      'a repeated field',
      file(`{"a":{"dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4]}}`, 4),
      'CHECKPOINT_CORRUPT',
      /repeated/,
    ],
    ['metadata that is no string', file('{"__metadata__":{"n":1}}'), 'CHECKPOINT_CORRUPT', /__metadata__/],
    [
      'a lone surrogate',
      file(String.raw`{"\ud800":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}`, 1),
      'CHECKPOINT_CORRUPT',
      /Unicode/,
    ],
    ['a tensor that is no object', file('{"a":1}'), 'CHECKPOINT_CORRUPT', /no JSON object/],
    ['no dtype', file('{"a":{"shape":[],"data_offsets":[0,0]}}'), 'CHECKPOINT_CORRUPT', /no dtype/],
    ['an unknown dtype', file(tensor('F13', '[]', '[0,1]'), 1), 'CHECKPOINT_CORRUPT', /"F13"/],
    ['half a byte', file(tensor('F4', '[3]', '[0,2]'), 2), 'CHECKPOINT_CORRUPT', /needs 1\.5 bytes/],
    ['6 bits too many', file(tensor('F6_E2M3', '[5]', '[0,3]'), 3), 'CHECKPOINT_CORRUPT', /needs 3\.75 bytes/],
    ['a negative size', file(tensor('U8', '[-1]', '[0,1]'), 1), 'CHECKPOINT_CORRUPT', /shape/],
    ['a fraction', file(tensor('U8', '[1.5]', '[0,1]'), 1), 'CHECKPOINT_CORRUPT', /shape/],
    ['a shape beyond 2^53', file(tensor('U8', '[9007199254740991,9,0]', '[0,0]')), 'CHECKPOINT_CORRUPT', /2\^53/],
    ['65 dimensions', file(tensor('U8', `[${'1,'.repeat(64)}1]`, '[0,1]'), 1), 'LIMIT_EXCEEDED', /65 dim/],
    ['one offset', file(tensor('U8', '[1]', '[0]'), 1), 'CHECKPOINT_CORRUPT', /data_offsets/],
    ['offsets in the wrong order', file(tensor('U8', '[1]', '[1,0]'), 1), 'CHECKPOINT_CORRUPT', /data_offsets/],
    [
      'a length that does not fit the shape',
      file(tensor('F32', '[2]', '[0,4]'), 4),
      'CHECKPOINT_CORRUPT',
      /needs 8 bytes/,
    ],
    ['data that does not begin at 0', file(tensor('U8', '[1]', '[1,2]'), 2), 'CHECKPOINT_CORRUPT', /hole/],
    [
      'an overlap',
      file(`{${A},"b":{"dtype":"I64","shape":[],"data_offsets":[20,28]}}`, 28),
      'CHECKPOINT_CORRUPT',
      /overlap/,
    ],
    ['a hole', file(`{${A},"b":{"dtype":"I64","shape":[],"data_offsets":[32,40]}}`, 40), 'CHECKPOINT_CORRUPT', /hole/],
    ['data past the end of the file', file(`{${A},${B}}`, 31), 'CHECKPOINT_CORRUPT', /cut/],
    ['bytes behind the data', file(`{${A},${B}}`, 33), 'CHECKPOINT_CORRUPT', /1 bytes follow/],
  ])('%s', async (_name, bytes, code, message) => {
    await expect(read(bytes)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  test('more tensors than the limit, before the JSON is parsed', async () => {
    await expect(read(file(`{${A},${B}}`, 32), { maxTensors: 1 })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    const many = `{"__metadata__":{${'"a":[],'.repeat(30)}"b":[]}}`
    await expect(read(file(many), { maxTensors: 1 })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
  })

  test('with brackets nested a million deep, without a crash', async () => {
    const deep = `{"a":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}`
    await expect(read(file(deep))).rejects.toMatchObject({ code: 'CHECKPOINT_CORRUPT' })
  })
})
