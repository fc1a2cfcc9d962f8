import { describe, expect, test } from '@jest/globals'
import { readCheckpointShards, shardedSha256, tensorBytes, type Checkpoint } from '../../src/checkpoint/index.ts'
import { DEFAULT_CHECKPOINT_LIMITS, findStateDicts } from '../../src/checkpoint/index.ts'
import { bytesSource } from '../../src/container/index.ts'
import { collect, rootOf, SIX_FLOATS, torchFile } from './build-checkpoint.ts'
import { legacyFile, legacyStorage, legacyTensor } from './build-legacy.ts'
import { dict, int, list, str, tensor, type Part } from './build-pickle.ts'

/** A safetensors file of vectors of bytes. */
function safetensors(tensors: Readonly<Record<string, readonly number[]>>, metadata = { format: 'pt' }): Buffer {
  const header: Record<string, unknown> = { __metadata__: metadata }
  let at = 0
  for (const [name, bytes] of Object.entries(tensors)) {
    header[name] = { dtype: 'U8', shape: [bytes.length], data_offsets: [at, at + bytes.length] }
    at += bytes.length
  }
  const text = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  return Buffer.concat([length, text, Buffer.from(Object.values(tensors).flat())])
}

type Files = Readonly<Record<string, Buffer>>
const indexOf = (weightMap: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ metadata: { total_size: 5 }, weight_map: weightMap })

function openShards(index: string, files: Files, limits = DEFAULT_CHECKPOINT_LIMITS): Promise<Checkpoint> {
  const sources = Object.entries(files).map(([name, bytes]) => bytesSource(name, bytes))
  return readCheckpointShards(bytesSource('m.index.json', Buffer.from(index)), sources, limits)
}

const WEIGHTS = { a: '1.safetensors', b: '2.safetensors', c: '1.safetensors' }
const FILES: Files = {
  '2.safetensors': safetensors({ b: [4, 5] }),
  '1.safetensors': safetensors({ a: [1, 2], c: [3] }),
}

async function contents(checkpoint: Checkpoint): Promise<Record<string, readonly number[]>> {
  const [best] = findStateDicts(checkpoint)
  const found: Record<string, readonly number[]> = {}
  for (const [key, index] of best!.tensors) found[key] = [...(await collect(tensorBytes(checkpoint, index)))]
  return found
}

describe('a sharded checkpoint is one flat state_dict:', () => {
  test('of safetensors, whatever the order in which the shards are given', async () => {
    const checkpoint = await openShards(indexOf(WEIGHTS), FILES)
    expect(checkpoint.format).toBe('safetensors-sharded')
    expect(await contents(checkpoint)).toEqual({ a: [1, 2], c: [3], b: [4, 5] })
    expect(checkpoint.storages.map(({ key }) => key)).toEqual(['a', 'c', 'b'])
    const root = rootOf(checkpoint)
    expect(root).toMatchObject({ kind: 'dict', state: expect.any(Number) })
    expect(checkpoint.tree.nodes).toContainEqual({ kind: 'string', value: 'pt' })
    expect(() => checkpoint.readStorage(3)).toThrow(RangeError)
  })

  test('without the metadata that its shards do not share', async () => {
    const files = { ...FILES, '2.safetensors': safetensors({ b: [4, 5] }, { format: 'np' }) }
    expect(rootOf(await openShards(indexOf(WEIGHTS), files))).not.toHaveProperty('state')
  })

  test('of torch.save, zip and before 1.6, with tied tensors and attributes', async () => {
    const tied = Buffer.concat([tensor(), Buffer.from('7205000000', 'hex')])
    const old = legacyTensor(legacyStorage('FloatStorage', '9', 6), [6], [1])
    const checkpoint = await openShards(indexOf({ a: '1.bin', b: '1.bin', c: '2.bin' }), {
      '1.bin': torchFile(dict({ a: tied, b: Buffer.from('6a05000000', 'hex') })),
      '2.bin': legacyFile(dict({ c: old }), [{ key: '9', bytes: SIX_FLOATS, count: 6 }]),
    })
    expect(checkpoint.format).toBe('torch-sharded')
    expect(checkpoint.storages.map(({ key }) => key)).toEqual(['1.bin/0', '2.bin/9'])
    const [best] = findStateDicts(checkpoint)
    expect([...best!.tensors]).toEqual([
      ['a', 0],
      ['b', 0],
      ['c', 1],
    ])
    expect(await collect(tensorBytes(checkpoint, 1))).toEqual(SIX_FLOATS)
    expect(checkpoint.globals.map(({ name }) => name)).toEqual(['_rebuild_tensor_v2', 'FloatStorage', 'OrderedDict'])
  })

  test('whose tree holds what it needs and nothing else', async () => {
    const { tree } = await openShards(indexOf(WEIGHTS), FILES)
    const used = new Set<number>()
    const pending = [tree.root]
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      used.add(next)
      const node = tree.nodes[next]!
      if (node.kind === 'dict') pending.push(...node.entries.flat(), ...(node.state === undefined ? [] : [node.state]))
    }
    expect(used.size).toBe(tree.nodes.length)
  })

  test('that closes all of its sources', async () => {
    const closed: string[] = []
    const closable = (name: string, bytes: Uint8Array) => ({
      ...bytesSource(name, bytes),
      [Symbol.asyncDispose]: () => Promise.resolve(void closed.push(name)),
    })
    const sources = Object.entries(FILES).map(([name, bytes]) => closable(name, bytes))
    await using checkpoint = await readCheckpointShards(closable('i', Buffer.from(indexOf(WEIGHTS))), sources)
    expect(checkpoint.tensors).toHaveLength(3)
    await checkpoint[Symbol.asyncDispose]()
    expect(closed.sort()).toEqual(['1.safetensors', '2.safetensors', 'i'])
  })
})

describe('index and shards that disagree are refused, with names:', () => {
  const CORRUPT = 'CHECKPOINT_CORRUPT'
  const one = (value: Part): Files => ({ '1.bin': torchFile(value) })

  test.each<[string, string, Files, string, RegExp]>([
    [
      'a shard that is missing',
      indexOf(WEIGHTS),
      { '1.safetensors': FILES['1.safetensors']! },
      'BAD_INPUT',
      /1 of its 2 shards are missing: "2\.safetensors"/,
    ],
    [
      'a shard too many',
      indexOf(WEIGHTS),
      { ...FILES, '3.safetensors': safetensors({ d: [1] }) },
      'BAD_INPUT',
      /does not name the given "3\.safetensors"/,
    ],
    [
      'a key that its shard lacks',
      indexOf({ ...WEIGHTS, d: '2.safetensors' }),
      FILES,
      CORRUPT,
      /"2\.safetensors" lacks keys .* "d"/,
    ],
    [
      'a key in another shard',
      indexOf({ ...WEIGHTS, a: '2.safetensors' }),
      FILES,
      CORRUPT,
      /"2\.safetensors" lacks keys .* "a"/,
    ],
    [
      'a key that the index lacks',
      indexOf({ a: '1.safetensors', b: '2.safetensors' }),
      FILES,
      CORRUPT,
      /"1\.safetensors" holds keys that the index lacks: "c"/,
    ],
    [
      'a key in two shards',
      indexOf(WEIGHTS),
      { ...FILES, '2.safetensors': safetensors({ b: [1], a: [2] }) },
      CORRUPT,
      /"1\.safetensors" and "2\.safetensors" both hold the key "a"/,
    ],
    [
      'two formats',
      indexOf({ a: '1.safetensors', b: '2.bin', c: '1.safetensors' }),
      { '1.safetensors': FILES['1.safetensors']!, '2.bin': torchFile(dict({ b: tensor() })) },
      'CHECKPOINT_UNSUPPORTED',
      /in one format/,
    ],
    [
      'a shard that is nested',
      indexOf({ a: '1.bin' }),
      one(dict({ a: dict({ b: tensor() }) })),
      'CHECKPOINT_UNSUPPORTED',
      /holds a dict at "a"/,
    ],
    ['a shard that is a list', indexOf({ a: '1.bin' }), one(list(tensor())), 'CHECKPOINT_UNSUPPORTED', /holds a list/],
    [
      'a number next to the tensors',
      indexOf({ a: '1.bin' }),
      one(dict({ a: tensor(), epoch: int(1) })),
      'CHECKPOINT_UNSUPPORTED',
      /holds a int at "epoch"/,
    ],
    [
      'a shard that would run a command',
      indexOf({ a: '1.bin' }),
      one(Buffer.concat([Buffer.from('cos\nsystem\n('), str('id'), Buffer.from('tR')])),
      'CHECKPOINT_UNSAFE_GLOBAL',
      /os\.system/,
    ],
    ['no weight_map', '{"metadata": {}}', {}, CORRUPT, /no weight_map/],
    ['an empty weight_map', indexOf({}), {}, CORRUPT, /empty/],
    ['a key that is repeated', '{"weight_map": {"a": "1", "a": "2"}}', {}, CORRUPT, /repeated/],
    ['no JSON', '{"weight_map": ', {}, CORRUPT, /no JSON/],
    ...['../1.bin', '/etc/passwd', 'a/1.bin', 'a\\1.bin', '..', '.', '', 'C:1.bin', '1\u0000.bin', 'x'.repeat(256)].map(
      (name): [string, string, Files, string, RegExp] => [
        `the path ${JSON.stringify(name).slice(0, 20)} for a shard`,
        indexOf({ a: name }),
        { [name]: torchFile(dict({ a: tensor() })) },
        CORRUPT,
        /plain file name/,
      ],
    ),
    ['a shard that is no name', indexOf({ a: 1 }), {}, CORRUPT, /no name for "a"/],
  ])('%s', async (_name, index, files, code, message) => {
    await expect(openShards(index, files)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  test('a shard that is given twice', async () => {
    const twice = [bytesSource('1', FILES['1.safetensors']!), bytesSource('1', FILES['1.safetensors']!)]
    const index = bytesSource('i', Buffer.from(indexOf({ a: '1' })))
    await expect(readCheckpointShards(index, twice)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining('"1" was given twice'),
    })
  })

  test.each([
    ['shards', { sharded: { maxShards: 1, maxIndexBytes: 1e6 } }, /2 shards, the limit is 1/],
    ['bytes of the index', { sharded: { maxShards: 9, maxIndexBytes: 10 } }, /the limit is 10/],
    ['tensors of all shards', { tensor: { ...DEFAULT_CHECKPOINT_LIMITS.tensor, maxTensors: 2 } }, /2 tensors/],
    ['values of all shards', { pickle: { ...DEFAULT_CHECKPOINT_LIMITS.pickle, maxObjects: 9 } }, /9 values/],
  ])('too many %s', async (_name, limits, message) => {
    await expect(
      openShards(indexOf(WEIGHTS), FILES, { ...DEFAULT_CHECKPOINT_LIMITS, ...limits }),
    ).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: expect.stringMatching(message),
    })
  })
})

test('the SHA-256 of a sharded checkpoint is that of what sha256sum prints for it', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((digit) => digit.repeat(64)) as [string, string, string]
  const shards = [
    { name: '2', sha256: c },
    { name: '1', sha256: b },
  ]
  // printf '%s  i\n%s  1\n%s  2\n' aaa… bbb… ccc… | sha256sum
  expect(shardedSha256({ name: 'i', sha256: a }, shards)).toBe(
    'b26473925c090ac89a10a645745e1a4bc42bc7e67c345e5112044504bab070c5',
  )
})
