import { describe, expect, test } from '@jest/globals'
import { opaqueTensors, tensorBytes } from '../../src/checkpoint/index.ts'
import { collect, open, rootOf } from './build-checkpoint.ts'

function file(header: object, data: Uint8Array): Buffer {
  const text = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  return Buffer.concat([length, text, data])
}

const DATA = Buffer.from(Array.from({ length: 20 }, (_, i) => i))
const HEADER = {
  b: { dtype: 'I16', shape: [2, 3], data_offsets: [8, 20] },
  a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
}

describe('a safetensors file', () => {
  test('is a dict of tensors, each with a storage of its own', async () => {
    const checkpoint = await open(file(HEADER, DATA))
    expect(checkpoint.format).toBe('safetensors')
    expect(checkpoint.tree).toEqual({
      nodes: [
        { kind: 'string', value: 'a' },
        { kind: 'tensor', tensor: 0 },
        { kind: 'string', value: 'b' },
        { kind: 'tensor', tensor: 1 },
        {
          kind: 'dict',
          entries: [
            [0, 1],
            [2, 3],
          ],
        },
      ],
      root: 4,
    })
    expect(checkpoint.tensors[1]).toEqual({
      storage: 1,
      dtype: 'int16',
      shape: [2, 3],
      stride: [3, 1],
      storageOffset: 0,
      requiresGrad: false,
      isParameter: false,
    })
    expect(checkpoint.storages[1]).toEqual({ key: 'b', dtype: 'int16', byteLength: 12, location: 'cpu' })
    expect(await collect(checkpoint.readStorage(1))).toEqual(DATA.subarray(8))
    expect(await collect(checkpoint.readStorage(1, 2, 4))).toEqual(DATA.subarray(10, 14))
    expect(await collect(tensorBytes(checkpoint, 0))).toEqual(DATA.subarray(0, 8))
    expect(() => checkpoint.readStorage(1, 2, 11)).toThrow(RangeError)
    expect(() => checkpoint.readStorage(2)).toThrow(RangeError)
  })

  test('keeps its metadata as the state of the dict', async () => {
    const checkpoint = await open(file({ __metadata__: { format: 'pt' }, ...HEADER }, DATA))
    const { nodes } = checkpoint.tree
    const root = rootOf(checkpoint)
    expect(root).toMatchObject({ kind: 'dict', state: expect.any(Number) })
    const state = root.kind === 'dict' ? nodes[root.state!] : undefined
    const texts = (indices: readonly number[]) => indices.map((index) => nodes[index])
    expect(state?.kind === 'dict' && texts(state.entries[0]!)).toMatchObject([
      { kind: 'string', value: '__metadata__' },
      { kind: 'dict' },
    ])
    expect(nodes).toContainEqual({ kind: 'string', value: 'format' })
    expect(nodes).toContainEqual({ kind: 'string', value: 'pt' })
  })

  test('that breaks a rule is refused with the codes of checkpoints', async () => {
    await expect(open(file(HEADER, DATA.subarray(1)))).rejects.toMatchObject({ code: 'CHECKPOINT_CORRUPT' })
  })

  test('keeps elements of 6 bits as data: their sizes and their bytes', async () => {
    const checkpoint = await open(
      file({ a: { dtype: 'F6_E2M3', shape: [4], data_offsets: [0, 3] } }, DATA.subarray(0, 3)),
    )
    const { nodes } = checkpoint.tree
    const object = nodes.find((node) => node.kind === 'object')
    expect(object).toMatchObject({ class: 'safetensors.F6_E2M3' })
    const args = nodes[object?.args ?? -1]
    expect(args?.kind === 'tuple' && args.items.map((item) => nodes[item])).toEqual([
      { kind: 'size', sizes: [4] },
      { kind: 'tensor', tensor: 0 },
    ])
    expect(await collect(tensorBytes(checkpoint, 0))).toEqual(DATA.subarray(0, 3))
    expect([...opaqueTensors(checkpoint.tree, [])]).toEqual([['a', 'a tensor of F6_E2M3, 6 bits an element']])
  })
})
