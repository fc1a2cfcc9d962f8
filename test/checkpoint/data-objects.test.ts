import { describe, expect, test } from '@jest/globals'
import { findStateDicts, opaqueTensors, type Checkpoint, type ValueNode } from '../../src/checkpoint/index.ts'
import { DATA_CLASSES } from '../../src/checkpoint/pickle/data-classes.ts'
import { openValue, rootOf } from './build-checkpoint.ts'
import {
  build,
  call,
  dict,
  EMPTY_DICT,
  EMPTY_LIST,
  EMPTY_TUPLE,
  FALSE,
  get,
  global,
  int,
  list,
  MARK,
  NEWOBJ,
  NONE,
  ORDERED_DICT,
  put,
  setItems,
  str,
  tensor,
  tuple,
  type Part,
} from './build-pickle.ts'

const raw = (hex: string): Part => Buffer.from(hex.replaceAll(' ', ''), 'hex')
const node = ({ tree }: Checkpoint, index: number | undefined): ValueNode => tree.nodes[index!]!

async function object(value: Part): Promise<Extract<ValueNode, { kind: 'object' }> & { readonly of: Checkpoint }> {
  const of = await openValue(value)
  const root = rootOf(of)
  if (root.kind !== 'object') throw new Error(`a ${root.kind}`)
  return { ...root, of }
}

describe('plain objects of Python are kept as data, never made:', () => {
  test('argparse.Namespace, with its attributes', async () => {
    const made = Buffer.concat([global('argparse', 'Namespace'), EMPTY_TUPLE, NEWOBJ])
    const { class: cls, args, state, of } = await object(build(made, dict({ lr: int(3) })))
    expect(cls).toBe('argparse.Namespace')
    expect(node(of, args)).toEqual({ kind: 'tuple', items: [] })
    expect(node(of, state)).toMatchObject({ kind: 'dict', entries: [[expect.any(Number), expect.any(Number)]] })
    expect(of.globals.map(({ module, name }) => `${module}.${name}`)).toEqual(['argparse.Namespace'])
  })

  test('collections.defaultdict, with its factory and its entries; an equal key counts once', async () => {
    const made = call(global('collections', 'defaultdict'), global('__builtin__', 'list'))
    const filled = setItems(made, str('a'), int(1), str('b'), NONE, str('a'), int(2))
    const { class: cls, args, entries, of } = await object(filled)
    expect(cls).toBe('collections.defaultdict')
    const factory = node(of, args)
    const name = node(of, factory.kind === 'tuple' ? factory.items[0] : undefined)
    expect(name).toMatchObject({ kind: 'object', class: 'global' })
    expect(node(of, name.kind === 'object' ? name.args : undefined)).toEqual({ kind: 'string', value: 'builtins.list' })
    expect(entries!.map(([key, value]) => [node(of, key), node(of, value)])).toEqual([
      [
        { kind: 'string', value: 'a' },
        { kind: 'int', value: 2 },
      ],
      [{ kind: 'string', value: 'b' }, { kind: 'none' }],
    ])
  })

  test('collections.deque, with its items', async () => {
    const made = call(global('collections', 'deque'), EMPTY_TUPLE, int(5))
    const { items, args, of } = await object(Buffer.concat([made, MARK, int(1), int(2), raw('65'), int(3), raw('61')]))
    expect(items!.map((item) => node(of, item))).toEqual([1, 2, 3].map((value) => ({ kind: 'int', value })))
    expect(node(of, args)).toMatchObject({ kind: 'tuple', items: [expect.any(Number), expect.any(Number)] })
  })

  test.each([
    ['by protocol 2', call(global('__builtin__', 'frozenset'), list(int(1)))],
    ['by protocol 4', raw('28 4b01 91')],
  ])('frozenset %s', async (_name, value) => {
    const { class: cls, args, of } = await object(value)
    expect(cls).toBe('builtins.frozenset')
    const tuple = node(of, args)
    expect(node(of, tuple.kind === 'tuple' ? tuple.items[0] : undefined)).toMatchObject({
      kind: 'list',
      items: [expect.any(Number)],
    })
  })

  test.each<[string, Part]>([
    ['builtins.range', call(global('__builtin__', 'xrange'), int(0), int(9), int(2))],
    ['builtins.slice', call(global('__builtin__', 'slice'), NONE, int(3), NONE)],
    ['pathlib.PosixPath', call(global('pathlib', 'PosixPath'), str('/'), str('data'))],
    ['pathlib._local.PureWindowsPath', call(global('pathlib._local', 'PureWindowsPath'), str('C:\\'))],
    ['datetime.timedelta', call(global('datetime', 'timedelta'), int(1), int(2), int(3))],
    [
      'datetime.datetime',
      call(global('datetime', 'datetime'), call(global('_codecs', 'encode'), str('\u0007è'), str('latin1'))),
    ],
    ['decimal.Decimal', call(global('decimal', 'Decimal'), str('1.50'))],
    ['fractions.Fraction', call(global('fractions', 'Fraction'), str('1/3'))],
  ])('%s', async (name, value) => expect((await object(value)).class).toBe(name))

  test('a type as a value is a bare name', async () => {
    const { class: cls, args, of } = await object(global('__builtin__', 'long'))
    expect([cls, node(of, args)]).toEqual(['global', { kind: 'string', value: 'builtins.int' }])
  })

  test('an object that is used twice is one node', async () => {
    const once = Buffer.concat([call(global('decimal', 'Decimal'), str('1')), put(9)])
    const root = rootOf(await openValue(list(once, get(9))))
    expect(root.kind === 'list' && new Set(root.items).size).toBe(1)
  })
})

describe('and only as the classes write themselves:', () => {
  const CORRUPT = 'CHECKPOINT_CORRUPT'

  test.each<[string, Part, string, RegExp]>([
    ['a Namespace with arguments', call(global('argparse', 'Namespace'), int(1)), CORRUPT, /1 arguments/],
    ['a Namespace with a list for a state', build(call(global('argparse', 'Namespace')), EMPTY_LIST), CORRUPT, /state/],
    ['a state of a path', build(call(global('pathlib', 'PosixPath')), EMPTY_DICT), CORRUPT, /BUILD/],
    ['a range of one', call(global('builtins', 'range'), int(9)), CORRUPT, /1 arguments instead of 3/],
    [
      'items of a Decimal',
      Buffer.concat([call(global('decimal', 'Decimal'), str('1')), int(1), raw('61')]),
      CORRUPT,
      /APPEND/,
    ],
    ['entries of a deque', setItems(call(global('collections', 'deque')), int(1), int(1)), CORRUPT, /SETITEMS/],
    ['a list as a key', setItems(call(global('collections', 'defaultdict')), EMPTY_LIST, int(1)), CORRUPT, /hash/],
    ['a call of int', call(global('builtins', 'int'), str('1')), 'CHECKPOINT_UNSUPPORTED', /a call of builtins\.int/],
    [
      'a new path',
      Buffer.concat([global('pathlib', 'PosixPath'), EMPTY_TUPLE, NEWOBJ]),
      'CHECKPOINT_UNSUPPORTED',
      /NEWOBJ/,
    ],
    [
      'a factory that is foreign',
      call(global('collections', 'defaultdict'), global('os', 'system')),
      'CHECKPOINT_UNSAFE_GLOBAL',
      /os\.system/,
    ],
  ])('%s', async (_name, value, code, message) => {
    await expect(openValue(value)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  test('every class of the list is closed: no other name of its module is on it', async () => {
    for (const path of DATA_CLASSES.keys()) {
      const [module, name] = [path.slice(0, path.lastIndexOf('.')), path.slice(path.lastIndexOf('.') + 1)]
      await expect(openValue(global(module, `${name}.__init__`))).rejects.toMatchObject({
        code: 'CHECKPOINT_UNSAFE_GLOBAL',
      })
    }
  })
})

describe('tensors without a storage of their elements are named in a state_dict:', () => {
  const scheme = tuple(global('torch', 'per_tensor_affine'), int(1), int(0))
  const quantized = call(
    global('torch._utils', '_rebuild_qtensor'),
    ...[storageOf('QInt8Storage'), int(0), tuple(int(24)), tuple(int(1)), scheme, FALSE, ORDERED_DICT],
  )
  const layout = call(global('torch.serialization', '_get_layout'), str('torch.sparse_csr'))
  const sparse = call(global('torch._utils', '_rebuild_sparse_tensor'), layout, tuple(NONE, NONE, NONE, NONE))
  const meta = call(
    global('torch._utils', '_rebuild_meta_tensor_no_storage'),
    ...[global('torch', 'float32'), tuple(int(2)), tuple(int(1)), FALSE],
  )
  const parameter = call(global('torch._utils', '_rebuild_parameter'), meta, FALSE, ORDERED_DICT)

  function storageOf(cls: string): Part {
    return Buffer.concat([tuple(str('storage'), global('torch', cls), str('0'), str('cpu'), int(24)), raw('51')])
  }

  test('with what each is', async () => {
    const { tree } = await openValue(
      dict({ model: dict({ q: quantized, s: sparse, m: meta, p: parameter, none: NONE }) }),
    )
    expect([...opaqueTensors(tree, ['model'])]).toEqual([
      ['q', 'a quantized tensor (torch.per_tensor_affine)'],
      ['s', 'a sparse tensor (torch.sparse_csr)'],
      ['m', 'a tensor on the meta device, which has no values'],
      ['p', 'a Parameter of a tensor on the meta device, which has no values'],
    ])
    expect([...opaqueTensors(tree, [])]).toEqual([])
    expect([...opaqueTensors(tree, ['model', 'q', 'x'])]).toEqual([])
  })

  test('which is found although it has no other tensors', async () => {
    const [found] = findStateDicts(await openValue(dict({ state_dict: dict({ 'fc.weight': sparse }) })))
    expect(found).toEqual({ path: ['state_dict'], tensors: new Map() })
  })

  test('and is flat with both kinds of them', async () => {
    const [found] = findStateDicts(await openValue(dict({ a: tensor(), b: sparse })))
    expect(found).toMatchObject({ path: [], tensors: new Map([['a', 0]]) })
  })
})
