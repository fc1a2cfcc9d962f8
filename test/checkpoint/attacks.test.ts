// The attack list: what is known to have been tried against readers of checkpoints, one test each. The name of a test says what
// PyTorch 2.13 does with such a file (measured, where nothing else is said), and what is done here.
import { describe, expect, test } from '@jest/globals'
import { Buffer } from 'node:buffer'
import { deflateRawSync } from 'node:zlib'
import { DEFAULT_CHECKPOINT_LIMITS, tensorBytes } from '../../src/checkpoint/index.ts'
import { buildZip, type EntrySpec } from '../container/build-zip.ts'
import { collect, open, openValue, SIX_FLOATS, torchEntries } from './build-checkpoint.ts'
import { legacyFile, legacyStorage, legacyTensor } from './build-legacy.ts'
import {
  call,
  dict,
  EMPTY_LIST,
  EMPTY_TUPLE,
  FALSE,
  get,
  global,
  int,
  list,
  MARK,
  NONE,
  ORDERED_DICT,
  pickle,
  put,
  setItems,
  storage,
  str,
  tensor,
  tuple,
  type Part,
} from './build-pickle.ts'

const CORRUPT = 'CHECKPOINT_CORRUPT'
const LIMIT = 'LIMIT_EXCEEDED'
const UNSAFE = 'CHECKPOINT_UNSAFE_GLOBAL'
const UNSUPPORTED = 'CHECKPOINT_UNSUPPORTED'

const raw = (hex: string): Part => Buffer.from(hex.replaceAll(' ', ''), 'hex')
const repeat = (part: Part, times: number): Part => Buffer.concat(Array<Part>(times).fill(part))
const entries = torchEntries(pickle(tensor()))
const change = (name: string, spec: Partial<EntrySpec>): EntrySpec[] =>
  entries.map((entry) => (entry.name === `archive/${name}` ? { ...entry, ...spec } : entry))
const evil = call(global('os', 'system'), str('id'))

const refused = async (file: Promise<unknown>, code: string, message: RegExp): Promise<void> => {
  await expect(file).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
}

describe('attacks on the pickle', () => {
  test('CVE-2025-32434, a legacy file under weights_only: PyTorch ≤ 2.5.1 ran it; here nothing runs', () =>
    refused(open(legacyFile(evil, [])), UNSAFE, /os\.system, which runs a command/))

  test('CVE-2025-32434, the tar of PyTorch 0.1: weights_only refuses since 2.6; here it is refused by name', () => {
    const names = ['sys_info', 'pickle', 'tensors', 'storages'].map((name) => {
      const block = Buffer.alloc(512)
      block.write(name)
      block.write('00000000000\0', 124)
      block.write('ustar\0', 257)
      return block
    })
    return refused(open(Buffer.concat(names)), UNSUPPORTED, /tar format of PyTorch 0\.1\.9/)
  })

  test('CVE-2026-24747, SETITEM on what is no dict: PyTorch ≤ 2.9.1 wrote to memory; here it is refused', async () => {
    await refused(openValue(Buffer.concat([tensor(), int(0), int(1), raw('73')])), CORRUPT, /SETITEM changes a dict/)
    await refused(openValue(setItems(tensor(), int(0), int(1))), CORRUPT, /SETITEMS changes a dict/)
    await refused(openValue(setItems(EMPTY_LIST, int(0), int(1))), CORRUPT, /SETITEMS changes a dict/)
  })

  test('CVE-2026-24747, numel ≠ record: PyTorch ≤ 2.9.1 read out of bounds; here it is refused', () =>
    refused(
      openValue(tensor({ storage: storage('FloatStorage', '0', 600), size: [600], stride: [1] })),
      CORRUPT,
      /should have 2400 bytes .*its record has 24/,
    ))

  test.each([
    ['CVE-2025-1716', 'pip', 'main', /installs packages/],
    ['CVE-2026-56315', 'uuid', '_get_command_stdout', /runs a command/],
    ['CVE-2026-56315', 'profile', 'run', /evaluates Python code/],
    ['CVE-2026-56315', 'pydoc', 'pipepager', /runs a command/],
    ['CVE-2026-56315', 'logging.config', 'fileConfig', /reads or writes files/],
    [
      'CVE-2025-10157, a submodule of a blocked module',
      'asyncio.unix_events',
      '_UnixSubprocessTransport',
      /runs a command/,
    ],
    ['an attribute behind a dotted name', 'torch', 'hub.load', /loads another pickle/],
    ['a name that no list has', 'some.module', 'function', /imports the module some\.module, which runs its code/],
  ])(
    '%s, %s.%s: picklescan passed it, pickle.load runs it; the closed list refuses it',
    (_advisory, module, name, danger) => refused(openValue(call(global(module, name), str('x'))), UNSAFE, danger),
  )

  test('nullifAI, a pickle that runs first and breaks then: pickle.load runs it; here it is called what it is', async () => {
    await refused(open(Buffer.concat([raw('8004'), evil, raw('ff')])), UNSAFE, /os\.system/)
    await refused(open(buildZip(torchEntries(Buffer.concat([raw('8002'), evil, raw('ff')])))), UNSAFE, /os\.system/)
  })

  test('nullifAI, a checkpoint in 7z: torch.load fails obscurely; here it is refused by name', () =>
    refused(open(raw('377abcaf271c 0004 00000000')), 'CHECKPOINT_UNKNOWN_FORMAT', /7-Zip/))

  test('CVE-2025-1889 and -10155, a pickle under another extension: scanners skipped it; content decides here', () =>
    refused(open(Buffer.concat([raw('8004'), evil, Buffer.from('.')])), UNSAFE, /os\.system/))

  test('10^5 nested lists: accepted by PyTorch; capped here', () =>
    refused(openValue(Buffer.concat([repeat(EMPTY_LIST, 100_000), repeat(raw('61'), 99_999)])), LIMIT, /nested/))

  test('10^6 nested tuples: accepted by PyTorch; capped here', () =>
    refused(openValue(Buffer.concat([EMPTY_TUPLE, repeat(raw('85'), 1_000_000)])), LIMIT, /nested/))

  test('20 levels of 10 shared values: accepted by PyTorch; shared here too, 21 nodes of 10^20 values', async () => {
    const levels: Part[] = [Buffer.concat([list(NONE), put(0)])]
    for (let level = 1; level <= 20; level++)
      levels.push(Buffer.concat([raw('30'), list(...Array<Part>(10).fill(get(level - 1))), put(level)]))
    const { tree } = await openValue(Buffer.concat(levels))
    expect(tree.nodes).toHaveLength(22)
  })

  test('memo index 2^31 - 1: accepted by PyTorch; capped here', () =>
    refused(openValue(Buffer.concat([NONE, put(2 ** 31 - 1)])), LIMIT, /memo index 2147483647/))

  test('an integer of 255 MiB by LONG4: CPython reads it in quadratic time; capped here', () =>
    refused(
      openValue(Buffer.concat([raw('8b'), raw('ffffff0f'), Buffer.alloc(64)])),
      LIMIT,
      /integer of 268435455 bytes/,
    ))

  test('a string longer than the limit: accepted by PyTorch; capped here', () => {
    const limits = { ...DEFAULT_CHECKPOINT_LIMITS, pickle: { ...DEFAULT_CHECKPOINT_LIMITS.pickle, maxStringBytes: 99 } }
    return refused(openValue(str('x'.repeat(100)), {}, limits), LIMIT, /a string of 100 bytes, the limit is 99/)
  })

  test('REDUCE of torch.FloatTensor(10^12): PyTorch allocates; here it is refused', () =>
    refused(
      openValue(call(global('torch', 'FloatTensor'), int(10 ** 12))),
      UNSUPPORTED,
      /a call of torch\.FloatTensor/,
    ))

  test('a rebuild function that calls itself: PyTorch recurses; here it is refused', () => {
    const rebuild = global('torch._tensor', '_rebuild_from_type_v2')
    const inner = tuple(rebuild, global('torch', 'Tensor'), tuple(tensor()), NONE)
    return refused(openValue(Buffer.concat([rebuild, inner, raw('52')])), CORRUPT, /calls itself/)
  })
})

describe('attacks on the zip', () => {
  test('two entries of one name: PyTorch takes either, zipfile the last; refused here', () =>
    refused(open(buildZip([...entries, entries[0]!])), CORRUPT, /two entries named "archive\/data\.pkl"/))

  test('two entries of one payload: accepted by PyTorch; refused here', async () => {
    const local = entries.findIndex(({ name }) => name === 'archive/data/0')
    const at = buildZip(entries.slice(0, local)).indexOf('PK\x01\x02')
    const shared = { ...entries[local]!, name: 'archive/data/1', localName: 'archive/data/0', headerOffset: at }
    await expect(open(buildZip([...entries, shared]))).rejects.toMatchObject({ code: CORRUPT })
  })

  test('CVE-2025-1944, another name in the local header: accepted by PyTorch, scanners crashed; refused here', () =>
    refused(
      open(buildZip(change('data.pkl', { localName: 'archive/data.txt' }))),
      CORRUPT,
      /another name than the zip directory/,
    ))

  test('CVE-2025-1945, the encrypted flag: rejected by PyTorch, scanners crashed; refused here', async () => {
    await refused(open(buildZip(change('data.pkl', { flags: 0x801 }))), UNSUPPORTED, /encrypted/)
    await refused(open(buildZip(change('data.pkl', { localFlags: 0x809 }))), UNSUPPORTED, /encrypted/)
  })

  test('CVE-2025-10156, a wrong CRC: accepted by PyTorch, scanners stopped; read here, and told', async () => {
    const checkpoint = await open(buildZip(change('data.pkl', { crc: 1 })))
    expect(checkpoint.warnings).toEqual([expect.stringContaining('has CRC-32')])
    await refused(
      open(buildZip(torchEntries(pickle(evil)).map((entry) => ({ ...entry, crc: 1 })))),
      UNSAFE,
      /os\.system/,
    )
  })

  test('1 MB that inflates to 1 GiB: accepted by PyTorch; capped here before anything is inflated', async () => {
    const bomb = { payload: deflateRawSync(Buffer.alloc(1 << 20)), size: 2 ** 30, deflate: true, descriptor: false }
    await refused(open(buildZip(change('data/0', bomb))), LIMIT, /inflates from/)
  })

  test('a deflated record: mmap=True gives garbage; inflated here, when its size is as declared', async () => {
    const checkpoint = await open(buildZip(entries.map((entry) => ({ ...entry, deflate: true }))))
    expect(await collect(checkpoint.readStorage(0))).toEqual(SIX_FLOATS)
    const short = await open(buildZip(change('data/0', { deflate: true, payload: deflateRawSync(Buffer.alloc(8)) })))
    await refused(collect(short.readStorage(0)), CORRUPT, /inflates to 8 bytes, 24 are declared/)
  })

  test('a polyglot, PK\\3\\4 and something else in front: accepted by PyTorch; refused here', async () => {
    const zip = buildZip(entries)
    await refused(open(Buffer.concat([Buffer.from('PK\x03\x04#!/bin/sh\n'), zip])), CORRUPT, /put in front of it/)
  })

  test('70 kB of junk behind it: rejected by PyTorch; refused here', () =>
    refused(open(buildZip(entries, { trailing: Buffer.alloc(70_000) })), CORRUPT, /end-of-central-directory/))

  test('the key ../data.pkl: not found by PyTorch; refused here', () =>
    refused(openValue(tensor({ storage: storage('FloatStorage', '../data.pkl', 6) })), CORRUPT, /missing in the zip/))

  test('a storage of the wrong class: mmap=True reads neighbouring bytes; refused here', () =>
    refused(openValue(tensor({ storage: storage('DoubleStorage', '0', 6) })), CORRUPT, /should have 48 bytes/))

  test('2^40 elements: mmap=True accepts them; refused here', () =>
    refused(openValue(tensor({ storage: storage('FloatStorage', '0', 2 ** 40) })), CORRUPT, /4398046511104 bytes/))
})

describe('attacks on tensors', () => {
  const view = (offset: number, size: readonly number[], stride: readonly number[]): Promise<unknown> =>
    openValue(tensor({ offset: int(offset), size, stride }))

  test('10^12 elements by stride 0: accepted by PyTorch; capped here, and a small one is read', async () => {
    await refused(view(0, [10 ** 12], [0]), LIMIT, /limit for expanded views/)
    const checkpoint = await openValue(tensor({ size: [1000], stride: [0] }))
    expect(await collect(tensorBytes(checkpoint, 0))).toHaveLength(4000)
  })

  test('an empty tensor at offset 2^40: accepted by PyTorch; refused here', () =>
    refused(view(2 ** 40, [0], [1]), CORRUPT, /more than the 6 elements/))

  test('an offset or stride out of bounds: rejected by PyTorch; refused here', async () => {
    await refused(view(1, [6], [1]), CORRUPT, /more than the 6/)
    await refused(view(0, [2, 3], [4, 1]), CORRUPT, /more than the 6/)
  })

  test('burn#5383, a transposed view read as if it were dense: refused nowhere; its strides are heeded here', async () => {
    const checkpoint = await openValue(tensor({ size: [3, 2], stride: [1, 3] }))
    const bytes = await collect(tensorBytes(checkpoint, 0))
    expect([...new Float32Array(new Uint8Array(bytes).buffer)]).toEqual([0.5, 3.5, 1.5, 4.5, 2.5, 5.5])
  })

  test('burn#5412, a record that is not there read as zeros: refused here', () =>
    refused(openValue(tensor({ storage: storage('FloatStorage', '7', 6) })), CORRUPT, /"data\/7" is missing/))

  test('negative offset, size and stride: rejected by PyTorch; refused here', async () => {
    await refused(view(-1, [2], [1]), CORRUPT, /negative/)
    await refused(view(0, [-2], [1]), CORRUPT, /negative/)
    await refused(view(5, [6], [-1]), CORRUPT, /negative/)
  })

  test('sizes whose product overflows: rejected by PyTorch; refused here', () =>
    refused(view(0, [2 ** 40, 2 ** 40], [0, 0]), LIMIT, /counted/))

  test('pytorch#184652, a quantized tensor with an unchecked stride: read out of bounds in 2.12; refused here', () =>
    refused(openValue(quantized([24], [9])), CORRUPT, /more than the 24 elements/))

  test('pytorch#184750 and CVE-2025-62164, sparse indices out of range: loaded by 2.13; here they are two plain tensors', async () => {
    const layout = call(global('torch.serialization', '_get_layout'), str('torch.sparse_coo'))
    const indices = tensor({ storage: storage('FloatStorage', '0', 6), size: [1, 6], stride: [6, 1] })
    const size = call(global('torch', 'Size'), tuple(int(1)))
    const value = call(global('torch._utils', '_rebuild_sparse_tensor'), layout, tuple(indices, tensor(), size))
    const checkpoint = await openValue(dict({ w: value }))
    expect(checkpoint.tensors.map(({ shape }) => shape)).toEqual([
      [1, 6],
      [2, 3],
    ])
  })

  test('a wrapper subclass and a device tensor, whose rebuild runs code: kept as data or refused here, never run', () =>
    refused(
      openValue(call(global('torch._utils', '_rebuild_wrapper_subclass'), ...Array<Part>(8).fill(NONE))),
      UNSUPPORTED,
      /a call of torch\._utils\._rebuild_wrapper_subclass/,
    ))

  function quantized(size: readonly number[], stride: readonly number[]): Part {
    const bytes = Buffer.concat([
      tuple(str('storage'), global('torch', 'QInt8Storage'), str('0'), str('cpu'), int(24)),
      raw('51'),
    ])
    const scheme = tuple(global('torch', 'per_tensor_affine'), int(1), int(0))
    return call(
      global('torch._utils', '_rebuild_qtensor'),
      ...[bytes, int(0), tuple(...size.map(int)), tuple(...stride.map(int)), scheme, FALSE, ORDERED_DICT],
    )
  }
})

describe('attacks on files before PyTorch 1.6', () => {
  const six = legacyTensor(legacyStorage('FloatStorage', '1', 6), [6], [1])

  test('a count that is not numel: `storage has wrong byte size` in PyTorch; refused here', () =>
    refused(open(legacyFile(six, [{ key: '1', bytes: SIX_FLOATS, count: 600 }])), CORRUPT, /has 600 elements/))

  test('a storage that is not listed: PyTorch gives what the memory held; refused here', () =>
    refused(open(legacyFile(six, [], { keys: list() })), CORRUPT, /not in the list of storages/))

  test('a pickle without end: PyTorch reads it all into memory; capped here', () => {
    const limits = { ...DEFAULT_CHECKPOINT_LIMITS, pickle: { ...DEFAULT_CHECKPOINT_LIMITS.pickle, maxBytes: 1 << 17 } }
    const endless = Buffer.concat([legacyFile(six, []).subarray(0, 100), MARK, repeat(raw('4e'), 1 << 18)])
    return refused(open(endless, limits), LIMIT, /more than 131072 bytes/)
  })
})
