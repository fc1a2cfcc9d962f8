import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { findStateDicts, tensorBytes, type Checkpoint } from '../../src/checkpoint/index.ts'
import { AppError } from '../../src/error.ts'
import { numel } from '../../src/tensor/index.ts'
import { open, SIX_FLOATS, torchEntries } from '../checkpoint/build-checkpoint.ts'
import * as part from '../checkpoint/build-pickle.ts'
import { buildZip } from '../container/build-zip.ts'

const fixture = (name: string): Buffer => readFileSync(new URL(`../fixtures/${name}`, import.meta.url))

/** A value with something of everything, so that few mutations miss. */
const VALUE = part.dict({
  state: part.build(
    part.setItems(part.ORDERED_DICT, part.str('w'), part.tensor()),
    part.dict({ _metadata: part.NONE }),
  ),
  view: part.tensor({ offset: part.int(1), size: [2, 2], stride: [1, 2] }),
  numbers: part.list(part.int(2n ** 70n), part.float(0.5), part.int(-3)),
  others: part.tuple(
    part.call(part.global('__builtin__', 'set'), part.list(part.str('a'))),
    part.call(part.global('torch', 'device'), part.str('cuda'), part.int(0)),
    part.call(part.global('torch', 'Size'), part.tuple(part.int(2))),
    part.global('torch', 'float32'),
    part.call(part.global('_codecs', 'encode'), part.str('ÿ'), part.str('latin1')),
    Buffer.concat([part.list(part.TRUE), part.put(3), part.get(3)]),
  ),
})

function smallSafetensors(): Buffer {
  const header = Buffer.from(
    JSON.stringify({
      __metadata__: { format: 'pt' },
      a: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
      b: { dtype: 'BF16', shape: [], data_offsets: [24, 26] },
    }),
  )
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  return Buffer.concat([length, header, Buffer.alloc(26)])
}

/** More cases for a longer search: NOGRAD_CASES=20000. */
const CASES = Number(process.env['NOGRAD_CASES'] ?? 300)

interface Mutation {
  readonly kind: 'set' | 'flip' | 'delete' | 'insert' | 'truncate' | 'copy' | 'number'
  readonly at: number
  readonly from: number
  readonly value: number
}

const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const mutations = fc.array(
  fc.record<Mutation>({
    kind: fc.constantFrom('set', 'flip', 'delete', 'insert', 'truncate', 'copy', 'number'),
    at: fraction,
    from: fraction,
    value: fc.integer({ min: 0, max: 255 }),
  }),
  { minLength: 1, maxLength: 4 },
)

const NUMBERS = [0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff]

function mutate(bytes: Buffer, list: readonly Mutation[]): Buffer {
  let out = Buffer.from(bytes)
  for (const { kind, at, from, value } of list) {
    const i = Math.floor(at * out.length)
    const j = Math.floor(from * out.length)
    if (out.length < 8) break
    if (kind === 'set') out[i] = value
    else if (kind === 'flip') out[i]! ^= 1 << (value & 7)
    else if (kind === 'delete') out = Buffer.concat([out.subarray(0, i), out.subarray(i + 1 + (value & 7))])
    else if (kind === 'insert')
      out = Buffer.concat([out.subarray(0, i), Buffer.alloc(1 + (value & 7), value), out.subarray(i)])
    else if (kind === 'truncate') out = out.subarray(0, i)
    else if (kind === 'copy') out.copyWithin(i, j, j + 1 + (value & 31))
    else out.writeUInt32LE(NUMBERS[value % NUMBERS.length]!, Math.min(i, out.length - 4))
  }
  return out
}

/** Opens the bytes and reads all there is. Anything but success and an AppError fails the test. */
async function readEverything(bytes: Buffer): Promise<'read' | 'refused'> {
  let checkpoint: Checkpoint
  try {
    checkpoint = await open(bytes)
    findStateDicts(checkpoint)
    JSON.stringify(checkpoint.tree)
    for (const [index, { byteLength }] of checkpoint.storages.entries()) {
      let length = 0
      for await (const piece of checkpoint.readStorage(index)) length += piece.length
      expect(length).toBe(byteLength)
    }
    for (const [index, { shape }] of checkpoint.tensors.entries())
      if (numel(shape) < 1e6)
        for await (const piece of tensorBytes(checkpoint, index)) expect(piece.length).toBeGreaterThan(0)
    return 'read'
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    expect(error.message.length).toBeLessThan(5000)
    return 'refused'
  }
}

async function fuzz(bytes: Buffer, wrap: (mutated: Buffer) => Buffer = (mutated) => mutated): Promise<void> {
  expect(await readEverything(wrap(bytes))).toBe('read')
  const outcomes = { read: 0, refused: 0 }
  await fc.assert(
    fc.asyncProperty(mutations, async (list) => {
      outcomes[await readEverything(wrap(mutate(bytes, list)))]++
    }),
    { numRuns: CASES },
  )
  // A test of which every case is refused at the first byte would prove little.
  expect(outcomes.refused).toBeGreaterThan(0)
  expect(outcomes.read).toBeGreaterThan(0)
}

test('a damaged torch zip is read or refused', () => fuzz(fixture('cancer_mlp.pth')))

test('a damaged deflated zip is read or refused', () =>
  fuzz(buildZip(torchEntries(part.pickle(VALUE)).map((entry) => ({ ...entry, deflate: true })))))

test('a damaged pickle in a sound zip is read or refused', () =>
  fuzz(part.pickle(VALUE), (data) => buildZip(torchEntries(data, { 'data/0': SIX_FLOATS }))))

test('a damaged safetensors file is read or refused', () => fuzz(smallSafetensors()))

test('bytes at random, behind the first bytes of each format, are refused', async () => {
  const heads = [
    '',
    'PK\x03\x04',
    '\x80\x02',
    '\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e',
    '\x10\0\0\0\0\0\0\0{',
  ]
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...heads), fc.uint8Array({ minLength: 1, maxLength: 300 }), async (head, tail) => {
      expect(await readEverything(Buffer.concat([Buffer.from(head, 'latin1'), tail]))).toBe('refused')
    }),
    { numRuns: CASES },
  )
})
