import { describe, expect, test } from '@jest/globals'
import type { ValueNode } from '../../src/checkpoint/index.ts'
import { open, openValue, rootOf, torchEntries } from './build-checkpoint.ts'
import {
  build,
  call,
  dict,
  EMPTY_DICT,
  EMPTY_LIST,
  EMPTY_TUPLE,
  FALSE,
  float,
  get,
  global,
  int,
  list,
  NEWOBJ,
  NONE,
  ORDERED_DICT,
  put,
  setItems,
  storage,
  str,
  tensor,
  TRUE,
  tuple,
  type Part,
} from './build-pickle.ts'
import { buildZip } from '../container/build-zip.ts'

const raw = (hex: string): Part => Buffer.from(hex.replaceAll(' ', ''), 'hex')
const latin1 = (text: string): Part => call(global('_codecs', 'encode'), str(text), str('latin1'))
const read = async (value: Part): Promise<ValueNode> => rootOf(await openValue(value))

describe('a Python value becomes a node:', () => {
  test.each<[string, Part, ValueNode]>([
    ['None', NONE, { kind: 'none' }],
    ['True', TRUE, { kind: 'bool', value: true }],
    ['False', FALSE, { kind: 'bool', value: false }],
    ['a small int', raw('4b ff'), { kind: 'int', value: 255 }],
    ['a 16-bit int', raw('4d ff ff'), { kind: 'int', value: 65535 }],
    ['a negative int', int(-7), { kind: 'int', value: -7 }],
    ['an int of no bytes', raw('8a 00'), { kind: 'int', value: 0 }],
    ['the largest safe int', int(2 ** 53 - 1), { kind: 'int', value: 2 ** 53 - 1 }],
    ['an int beyond it, as digits', int(2n ** 53n), { kind: 'int', value: '9007199254740992' }],
    ['a negative int beyond it', int(-(2n ** 64n)), { kind: 'int', value: '-18446744073709551616' }],
    ['an int by LONG4', raw('8b 02 00 00 00 ff ff'), { kind: 'int', value: -1 }],
    ['a float', float(0.1), { kind: 'float', value: 0.1 }],
    ['a float that is whole', float(1), { kind: 'float', value: 1 }],
    ['NaN', float(NaN), { kind: 'float', value: 'NaN' }],
    ['infinity', float(-Infinity), { kind: 'float', value: '-Infinity' }],
    ['negative zero', float(-0), { kind: 'float', value: '-0' }],
    ['a string', str('größe 🦊'), { kind: 'string', value: 'größe 🦊' }],
    ['a string that begins with a byte order mark', str('\ufeffx'), { kind: 'string', value: '\ufeffx' }],
    ['a string of Python 2', raw('55 02 6869'), { kind: 'string', value: 'hi' }],
    ['bytes by protocol 2', latin1('\0ÿ'), { kind: 'bytes', value: 'AP8=' }],
    ['bytes by protocol 3', raw('43 02 00ff'), { kind: 'bytes', value: 'AP8=' }],
    ['no bytes', call(global('__builtin__', 'bytes')), { kind: 'bytes', value: '' }],
    ['a bytearray', call(global('__builtin__', 'bytearray'), latin1('a')), { kind: 'bytearray', value: 'YQ==' }],
    [
      'a bytearray of text',
      call(global('builtins', 'bytearray'), str('ÿ'), str('latin-1')),
      { kind: 'bytearray', value: '/w==' },
    ],
    ['an empty bytearray', call(global('builtins', 'bytearray')), { kind: 'bytearray', value: '' }],
    ['a bytearray by protocol 5', raw('96 01 00 00 00 00 00 00 00 61'), { kind: 'bytearray', value: 'YQ==' }],
    ['complex', call(global('__builtin__', 'complex'), float(1), float(-0)), { kind: 'complex', re: 1, im: '-0' }],
    ['torch.Size', call(global('torch', 'Size'), tuple(int(2), int(3))), { kind: 'size', sizes: [2, 3] }],
    ['a dtype', global('torch', 'float32'), { kind: 'dtype', value: 'float32' }],
    ['a dtype that no tensor has', global('torch', 'uint4'), { kind: 'dtype', value: 'uint4' }],
    ['a device', call(global('torch', 'device'), str('cuda'), int(1)), { kind: 'device', type: 'cuda', index: 1 }],
    [
      'a device in one word',
      call(global('torch', 'device'), str('cuda:0')),
      { kind: 'device', type: 'cuda', index: 0 },
    ],
    ['a device without a number', call(global('torch', 'device'), str('cpu')), { kind: 'device', type: 'cpu' }],
    ['an empty list', EMPTY_LIST, { kind: 'list', items: [] }],
    ['an empty tuple', EMPTY_TUPLE, { kind: 'tuple', items: [] }],
    ['a list by APPEND', Buffer.concat([EMPTY_LIST, int(1), raw('61')]), { kind: 'list', items: [0] }],
    ['a pair', Buffer.concat([int(1), int(2), raw('86')]), { kind: 'tuple', items: [0, 1] }],
    ['a set', call(global('__builtin__', 'set'), list(int(1))), { kind: 'set', items: [0] }],
    ['a set by protocol 4', Buffer.concat([raw('8f 28'), int(1), raw('90')]), { kind: 'set', items: [0] }],
    ['a dict', dict({ a: int(1) }), { kind: 'dict', entries: [[0, 1]] }],
    [
      'a dict by SETITEM',
      Buffer.concat([EMPTY_DICT, str('a'), int(1), raw('73')]),
      { kind: 'dict', entries: [[0, 1]] },
    ],
    ['a Counter', call(global('collections', 'Counter'), dict({ a: int(2) })), { kind: 'counter', entries: [[0, 1]] }],
    ['an OrderedDict', ORDERED_DICT, { kind: 'ordered_dict', entries: [] }],
    [
      'an OrderedDict of pairs, as Python 2 wrote it',
      call(global('collections', 'OrderedDict'), list(list(str('a'), int(1)))),
      { kind: 'ordered_dict', entries: [[0, 1]] },
    ],
    [
      'an OrderedDict with attributes',
      build(ORDERED_DICT, dict({ _metadata: NONE })),
      { kind: 'ordered_dict', entries: [], state: 2 },
    ],
    [
      'a layout',
      call(global('torch.serialization', '_get_layout'), str('torch.strided')),
      { kind: 'object', class: 'torch.serialization._get_layout', args: 1 },
    ],
    ['a bare name', global('torch', 'per_tensor_affine'), { kind: 'object', class: 'global', args: 0 }],
    ['a storage', storage('FloatStorage', '0', 6), { kind: 'object', class: 'torch.FloatStorage', args: 1 }],
    ['a value that POP took away', Buffer.concat([int(1), int(2), raw('30')]), { kind: 'int', value: 1 }],
    [
      'a value that POP_MARK took away',
      Buffer.concat([int(1), raw('28'), int(2), raw('31')]),
      { kind: 'int', value: 1 },
    ],
    ['a value by DUP', Buffer.concat([int(1), raw('32 86')]), { kind: 'tuple', items: [0, 0] }],
    ['a value of protocol 4', raw('95 02 00 00 00 00 00 00 00 8c 02 6869 94'), { kind: 'string', value: 'hi' }],
    ['a name of protocol 4', raw('8c 05 746f726368 8c 07 666c6f61743332 93'), { kind: 'dtype', value: 'float32' }],
  ])('%s', async (_name, value, node) => {
    expect(await read(value)).toEqual(node)
  })

  test('1, 1.0 and True are one key, whose first place and last value count', async () => {
    const checkpoint = await openValue(
      setItems(EMPTY_DICT, int(1), str('a'), str('k'), NONE, float(1), str('b'), TRUE, str('c')),
    )
    const { nodes } = checkpoint.tree
    const root = rootOf(checkpoint)
    const entries = root.kind === 'dict' ? root.entries.map((entry) => entry.map((index) => nodes[index])) : []
    expect(entries).toEqual([
      [
        { kind: 'int', value: 1 },
        { kind: 'string', value: 'c' },
      ],
      [{ kind: 'string', value: 'k' }, { kind: 'none' }],
    ])
  })

  test('a dict of many keys keeps their order and overwrites', async () => {
    const keys = Array.from({ length: 100 }, (_, i) => `k${i % 60}`)
    const checkpoint = await openValue(setItems(EMPTY_DICT, ...keys.flatMap((key, i) => [str(key), int(i)])))
    const { nodes } = checkpoint.tree
    const root = rootOf(checkpoint)
    const found = root.kind === 'dict' ? root.entries.map(([key, value]) => [nodes[key], nodes[value]]) : []
    expect(found).toEqual(
      Array.from({ length: 60 }, (_, i) => [
        { kind: 'string', value: `k${i}` },
        { kind: 'int', value: i < 40 ? i + 60 : i },
      ]),
    )
  })

  test('a value that is referenced twice is one node', async () => {
    const shared = Buffer.concat([list(int(1)), put(7)])
    const checkpoint = await openValue(tuple(shared, get(7), list(get(7))))
    const root = rootOf(checkpoint)
    expect(root.kind === 'tuple' && root.items[0] === root.items[1]).toBe(true)
    expect(checkpoint.tree.nodes.filter(({ kind }) => kind === 'list')).toHaveLength(2)
  })

  test('sharing twenty levels deep stays small', async () => {
    const level = (i: number): Part => list(...Array.from({ length: 10 }, () => get(i)))
    const levels = Array.from({ length: 20 }, (_, i) => [level(i), put(i + 1), Buffer.from('0')]).flat()
    const checkpoint = await openValue(Buffer.concat([list(), put(0), Buffer.from('0'), ...levels, get(20)]))
    expect(checkpoint.tree.nodes).toHaveLength(21)
  })

  test('a numpy scalar keeps its dtype and bytes', async () => {
    const dtype = build(
      call(global('numpy', 'dtype'), str('f8'), FALSE, TRUE),
      tuple(int(3), str('<'), NONE, NONE, NONE, int(-1), int(-1), int(0)),
    )
    for (const module of ['numpy.core.multiarray', 'numpy._core.multiarray']) {
      const checkpoint = await openValue(call(global(module, 'scalar'), dtype, latin1('\0\0\0\0\0\0ø?')))
      expect(rootOf(checkpoint)).toMatchObject({ kind: 'object', class: `${module}.scalar` })
      expect(checkpoint.tree.nodes).toContainEqual({
        kind: 'bytes',
        value: Buffer.from(new Float64Array([1.5]).buffer).toString('base64'),
      })
      expect(checkpoint.tree.nodes).toContainEqual(
        expect.objectContaining({ kind: 'object', class: 'numpy.dtype', state: expect.any(Number) }),
      )
    }
  })
})

describe('a tensor', () => {
  const parameter = (name: string, ...args: readonly Part[]): Part =>
    call(global('torch._utils', name), tensor(), TRUE, ORDERED_DICT, ...args)

  test('is a view of a storage', async () => {
    const { tensors, storages, tree, root } = await openValue(tensor()).then((c) => ({ ...c, root: rootOf(c) }))
    expect(root).toEqual({ kind: 'tensor', tensor: 0 })
    expect(tree.nodes).toHaveLength(1)
    expect(tensors).toEqual([
      {
        storage: 0,
        dtype: 'float32',
        shape: [2, 3],
        stride: [3, 1],
        storageOffset: 0,
        requiresGrad: false,
        isParameter: false,
      },
    ])
    expect(storages).toEqual([{ key: '0', dtype: 'float32', byteLength: 24, location: 'cpu' }])
  })

  test('of the new dtypes is a view of bytes', async () => {
    const value = call(
      global('torch._utils', '_rebuild_tensor_v3'),
      storage('UntypedStorage', '0', 24),
      int(2),
      tuple(int(5)),
      tuple(int(2)),
      FALSE,
      ORDERED_DICT,
      global('torch', 'uint16'),
    )
    const { tensors } = await openValue(value)
    expect(tensors[0]).toMatchObject({ dtype: 'uint16', shape: [5], stride: [2], storageOffset: 2 })
  })

  test('that is a Parameter says so', async () => {
    for (const value of [
      parameter('_rebuild_parameter'),
      parameter('_rebuild_parameter_with_state', EMPTY_DICT),
      Buffer.concat([global('torch.nn.parameter', 'Parameter'), tuple(tensor(), TRUE), NEWOBJ]),
    ]) {
      const checkpoint = await openValue(value)
      expect(checkpoint.tensors).toEqual([expect.objectContaining({ isParameter: true, requiresGrad: true })])
      expect(rootOf(checkpoint)).toEqual({ kind: 'tensor', tensor: 0 })
    }
  })

  test('keeps its Python attributes', async () => {
    const viaType = call(
      global('torch._tensor', '_rebuild_from_type_v2'),
      global('torch._utils', '_rebuild_parameter'),
      global('torch.nn.parameter', 'Parameter'),
      tuple(tensor(), TRUE, ORDERED_DICT),
      dict({ tag: int(3) }),
    )
    for (const value of [viaType, parameter('_rebuild_parameter_with_state', dict({ tag: int(3) }))]) {
      const { tree } = await openValue(value)
      expect(tree.nodes).toEqual([
        { kind: 'string', value: 'tag' },
        { kind: 'int', value: 3 },
        { kind: 'dict', entries: [[0, 1]] },
        { kind: 'tensor', tensor: 0, state: 2 },
      ])
    }
  })

  test('that is quantized or sparse keeps its parts', async () => {
    const quantizer = tuple(global('torch', 'per_tensor_affine'), float(0.1), int(3))
    const quantized = call(
      global('torch._utils', '_rebuild_qtensor'),
      storage('QInt8Storage', '0', 24),
      int(0),
      tuple(int(24)),
      tuple(int(1)),
      quantizer,
      FALSE,
      ORDERED_DICT,
    )
    const checkpoint = await openValue(quantized)
    expect(rootOf(checkpoint)).toMatchObject({ kind: 'object', class: 'torch._utils._rebuild_qtensor' })
    expect(checkpoint.tensors).toEqual([expect.objectContaining({ dtype: 'qint8', shape: [24] })])

    const sparse = call(
      global('torch._utils', '_rebuild_sparse_tensor'),
      call(global('torch.serialization', '_get_layout'), str('torch.sparse_coo')),
      tuple(tensor(), tensor(), call(global('torch', 'Size'), tuple(int(9)))),
    )
    expect(rootOf(await openValue(sparse))).toMatchObject({ class: 'torch._utils._rebuild_sparse_tensor' })
  })

  test('shares a storage that is named twice', async () => {
    const value = tuple(tensor(), tensor({ offset: int(2), size: [2], stride: [2] }))
    const { tensors, storages } = await openValue(value)
    expect(storages).toHaveLength(1)
    expect(tensors.map(({ storage: index, storageOffset }) => [index, storageOffset])).toEqual([
      [0, 0],
      [0, 2],
    ])
  })

  test('that the value does not hold is left out', async () => {
    const { tensors } = await openValue(setItems(EMPTY_DICT, str('a'), tensor(), str('a'), int(1)))
    expect(tensors).toEqual([])
  })
})

test('bytes behind the end of the pickle are told', async () => {
  const data = Buffer.concat([raw('80 02 4e 2e'), Buffer.from('more')])
  const { warnings } = await open(buildZip(torchEntries(data, {})))
  expect(warnings).toEqual(['model.pth: data.pkl: 4 bytes after the end of the pickle are ignored'])
})
