import { describe, expect, test } from '@jest/globals'
import { denseBytes, type ReadRange, type TensorView } from '../../src/checkpoint/index.ts'
import { collect } from './build-checkpoint.ts'

/** Reads a storage that is in memory, and counts the bytes that are asked for. */
function reader(storage: Buffer): { readonly read: ReadRange; bytes: number } {
  const state = {
    bytes: 0,
    async *read(offset: number, length: number) {
      if (offset < 0 || offset + length > storage.length) throw new RangeError(`${offset} + ${length}`)
      state.bytes += length
      for (let at = 0; at < length; at += 100_000)
        yield await Promise.resolve(storage.subarray(offset + at, offset + Math.min(length, at + 100_000)))
    },
  }
  return state
}

function numbers(count: number): Buffer {
  const array = new Int32Array(count)
  for (let i = 0; i < count; i++) array[i] = i
  return Buffer.from(array.buffer)
}
const values = (bytes: Buffer): number[] => Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readInt32LE(4 * i))
const view = (shape: readonly number[], stride: readonly number[], storageOffset = 0): TensorView => ({
  dtype: 'int32',
  shape,
  stride,
  storageOffset,
})

describe('the dense bytes of a tensor', () => {
  test.each<[string, TensorView, readonly number[]]>([
    ['contiguous', view([2, 3], [3, 1], 1), [1, 2, 3, 4, 5, 6]],
    ['transposed', view([3, 2], [1, 3]), [0, 3, 1, 4, 2, 5]],
    ['a column', view([4], [5], 2), [2, 7, 12, 17]],
    ['expanded', view([3, 2], [0, 1], 4), [4, 5, 4, 5, 4, 5]],
    ['one element many times', view([2, 2], [0, 0], 9), [9, 9, 9, 9]],
    ['overlapping windows', view([3, 3], [1, 1]), [0, 1, 2, 1, 2, 3, 2, 3, 4]],
    ['a scalar', view([], [], 7), [7]],
    ['empty', view([0, 3], [3, 1], 5), []],
    ['of sizes of one with any stride', view([1, 2, 1], [77, 1, 99], 3), [3, 4]],
    ['channels last', view([1, 2, 2, 2], [8, 1, 4, 2]), [0, 2, 4, 6, 1, 3, 5, 7]],
  ])('%s', async (_name, tensor, expected) => {
    expect(values(await collect(denseBytes(tensor, reader(numbers(20)).read)))).toEqual(expected)
  })

  test('of a contiguous view are one range of the storage', async () => {
    const source = reader(numbers(1000))
    await collect(denseBytes(view([5, 5], [5, 1], 100), source.read))
    expect(source.bytes).toBe(100)
  })

  test('come in pieces of at most 1 MiB, and a large transposed matrix is read a few times at most', async () => {
    const [rows, columns] = [2000, 2500]
    const storage = numbers(rows * columns)
    const source = reader(storage)
    const pieces: Uint8Array[] = []
    for await (const piece of denseBytes(view([columns, rows], [1, columns]), source.read)) pieces.push(piece)
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(1 << 20)
    const transposed = new Int32Array(rows * columns)
    for (let i = 0; i < transposed.length; i++) transposed[i] = (i % rows) * columns + Math.floor(i / rows)
    expect(Buffer.concat(pieces).equals(Buffer.from(transposed.buffer))).toBe(true)
    expect(source.bytes).toBeLessThan(4 * storage.length)
  })

  test('of a sparse column do not read the whole storage', async () => {
    const storage = numbers(10_000_000)
    const source = reader(storage)
    const bytes = await collect(denseBytes(view([10], [1_000_000], 5), source.read))
    expect(values(bytes)).toEqual(Array.from({ length: 10 }, (_, i) => i * 1_000_000 + 5))
    expect(source.bytes).toBe(40)
  })
})
