import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { crc32 } from 'node:zlib'
import {
  layoutSafetensors,
  layoutTorchZip,
  readCheckpoint,
  readLayout,
  type LayoutSource,
  type TensorEntry,
  type ValueNode,
  type WrittenValue,
} from '../../src/checkpoint/index.ts'
import { bytesSource } from '../../src/container/index.ts'
import { collect } from './build-checkpoint.ts'

/** A state_dict of float32 tensors, each of its own storage of known bytes. */
function stateDict(lengths: readonly number[], transposed = false): { value: WrittenValue; bytes: Uint8Array[] } {
  const nodes: ValueNode[] = []
  const add = (node: ValueNode): number => nodes.push(node) - 1
  const entries = lengths.map(
    (_, i) => [add({ kind: 'string', value: `t${i}` }), add({ kind: 'tensor', tensor: i })] as const,
  )
  const tensors = lengths.map((length, storage): TensorEntry => {
    const view =
      transposed && length % 2 === 0 ? { shape: [2, length / 2], stride: [1, 2] } : { shape: [length], stride: [1] }
    return { storage, dtype: 'float32', ...view, storageOffset: 0, requiresGrad: false, isParameter: false }
  })
  return {
    value: {
      tree: { nodes, root: add({ kind: 'ordered_dict', entries }) },
      tensors,
      storages: lengths.map((length, i) => ({
        key: String(i),
        dtype: 'float32',
        byteLength: length * 4,
        location: 'cpu',
        conversion: null,
      })),
    },
    bytes: lengths.map((length, i) => Uint8Array.from({ length: length * 4 }, (_, at) => (at * 31 + i * 7) & 0xff)),
  }
}

const sourceOf = (bytes: readonly Uint8Array[], counted?: { reads: number }): LayoutSource => ({
  checksums: [],
  async *read(ranges) {
    for (const { storage, offset, length } of ranges) {
      if (counted) counted.reads += length
      const part = bytes[storage]!.subarray(offset, offset + length)
      // Pieces that are cut anywhere.
      for (let at = 0; at < part.length; at += 5) yield await Promise.resolve(part.subarray(at, at + 5))
    }
  },
})

describe('the layout of a file', () => {
  test('knows its length without reading, and gives every range of it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 12 }), { maxLength: 6 }),
        fc.boolean(),
        fc.boolean(),
        fc.nat(),
        fc.nat(),
        async (lengths, zip, transposed, a, b) => {
          const { value, bytes } = stateDict(lengths, transposed)
          const layout = zip ? layoutTorchZip(value) : layoutSafetensors(value)
          const whole = await collect(readLayout(layout, sourceOf(bytes)))
          expect(whole).toHaveLength(layout.byteLength)
          const [start, end] = [a % (whole.length + 1), b % (whole.length + 1)].sort((x, y) => x - y) as [
            number,
            number,
          ]
          // A source that knows no CRC-32 yet has to find those that the range states.
          const part = await collect(readLayout(layout, sourceOf(bytes), start, end - start))
          expect(Buffer.from(part).equals(Buffer.from(whole).subarray(start, end))).toBe(true)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('reads only what a range needs', async () => {
    const { value, bytes } = stateDict([1000, 1000, 1000])
    const layout = layoutTorchZip(value)
    const counted = { reads: 0 }
    const source = sourceOf(bytes, counted)
    source.checksums.push(...bytes.map((storage) => crc32(storage)))
    await collect(readLayout(layout, source, layout.byteLength - 100, 100))
    expect(counted.reads).toBe(0)
    await collect(readLayout(layout, source, layout.offsets[layout.segments.indexOf(layout.data[1]!)]! + 8, 16))
    expect(counted.reads).toBe(16)
  })

  test('is read back as what was written', async () => {
    const { value, bytes } = stateDict([3, 0, 8])
    const file = await collect(readLayout(layoutTorchZip(value), sourceOf(bytes)))
    await using read = await readCheckpoint(bytesSource('written.pth', file))
    expect(read.tensors).toEqual(value.tensors)
    expect(await Promise.all(read.storages.map((_, i) => collect(read.readStorage(i))))).toEqual(bytes)
    expect(read.warnings).toEqual([])
  })

  test('fails when a storage has other bytes than it had', async () => {
    const { value, bytes } = stateDict([10])
    const source = sourceOf(bytes)
    source.checksums.push(crc32(bytes[0]!) ^ 1)
    await expect(collect(readLayout(layoutTorchZip(value), source))).rejects.toThrow(/damaged/)
  })

  test('aligns every storage to 64 bytes of a zip, and 8 of a safetensors file', () => {
    const { value } = stateDict([1, 2, 3, 5, 7])
    for (const [layout, alignment] of [
      [layoutTorchZip(value), 64],
      [layoutSafetensors(value), 4],
    ] as const)
      for (const [i, segment] of layout.segments.entries())
        if (segment.kind === 'data') expect(layout.offsets[i]! % alignment).toBe(0)
  })
})
