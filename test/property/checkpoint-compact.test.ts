import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { compactStorages, tensorBytes, type Checkpoint, type TensorEntry } from '../../src/checkpoint/index.ts'
import { itemSize, type DType } from '../../src/tensor/index.ts'

const LENGTH = 200_000
const bytes = Uint8Array.from({ length: LENGTH }, (_, i) => (i * 2654435761) >>> 13)

/** A view that lies in the storage, of any dtype, rank, strides and offset. */
const views = fc
  .record({
    dtype: fc.constantFrom<DType>('uint8', 'float16', 'float32', 'float64', 'complex128'),
    shape: fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 3 }),
    stride: fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 3, maxLength: 3 }),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ dtype, shape, stride, at }): TensorEntry => {
    const strides = stride.slice(0, shape.length)
    const reach = shape.reduce((sum, size, axis) => sum + Math.max(size - 1, 0) * strides[axis]!, 1)
    const room = Math.floor(LENGTH / itemSize(dtype)) - reach
    return {
      ...{ dtype, shape, stride: strides, storageOffset: Math.floor(Math.max(room, 0) * at), storage: 0 },
      ...{ requiresGrad: false, isParameter: false },
    }
  })
  .filter(
    ({ dtype, shape, stride, storageOffset }) =>
      (storageOffset + shape.reduce((sum, size, axis) => sum + Math.max(size - 1, 0) * stride[axis]!, 1)) *
        itemSize(dtype) <=
      LENGTH,
  )

const checkpointOf = (tensors: readonly TensorEntry[], piece: number): Checkpoint => ({
  ...{ format: 'torch-zip', tree: { nodes: [], root: 0 }, globals: [], warnings: [], tensors },
  storages: [{ key: '0', dtype: 'uint8', byteLength: LENGTH, location: 'cpu' }],
  async *readStorage(_index, offset = 0, length = LENGTH - offset) {
    for (let at = offset; at < offset + length; at += piece)
      yield await Promise.resolve(bytes.subarray(at, Math.min(at + piece, offset + length)))
  },
  [Symbol.asyncDispose]: () => Promise.resolve(),
})

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of pieces) parts.push(Buffer.from(part))
  return Buffer.concat(parts)
}

test('any views of a storage hold the same bytes after it was compacted, and lie inside of it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(views, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1000, max: LENGTH }),
      async (tensors, piece) => {
        const before = checkpointOf(tensors, piece)
        const after = compactStorages(before)
        const { byteLength } = after.storages[0]!
        expect(byteLength).toBeLessThanOrEqual(LENGTH)
        expect(await collect(after.readStorage(0))).toHaveLength(byteLength)
        for (const [index, tensor] of after.tensors.entries()) {
          expect({ ...tensor, storageOffset: 0 }).toEqual({ ...tensors[index]!, storageOffset: 0 })
          expect(tensor.storageOffset * itemSize(tensor.dtype)).toBeLessThanOrEqual(byteLength)
          expect(Number.isInteger(tensor.storageOffset)).toBe(true)
          expect(await collect(tensorBytes(after, index))).toEqual(await collect(tensorBytes(before, index)))
        }
        // Two views that touched the same bytes still do: their distance is the same.
        const byteOf = (tensor: TensorEntry) => tensor.storageOffset * itemSize(tensor.dtype)
        const endOf = (tensor: TensorEntry) =>
          byteOf(tensor) +
          tensor.shape.reduce((sum, size, axis) => sum + (size - 1) * tensor.stride[axis]!, 1) * itemSize(tensor.dtype)
        for (const [i, a] of tensors.entries())
          for (const [j, b] of tensors.entries())
            if (!a.shape.includes(0) && !b.shape.includes(0) && byteOf(a) <= byteOf(b) && byteOf(b) < endOf(a))
              expect(byteOf(after.tensors[j]!) - byteOf(after.tensors[i]!)).toBe(byteOf(b) - byteOf(a))
      },
    ),
    { numRuns: 150 },
  )
})
