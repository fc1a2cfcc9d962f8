import { describe, expect, test } from '@jest/globals'
import { compactStorages, tensorBytes, type Checkpoint, type TensorEntry } from '../../src/checkpoint/index.ts'
import { collect, openValue } from './build-checkpoint.ts'
import { dict, int, storage, tensor } from './build-pickle.ts'

/** 1,048,576 float32, each its own index. */
const MANY = 2 ** 20
const numbers = Buffer.from(Float32Array.from({ length: MANY }, (_, i) => i).buffer)
const big = storage('FloatStorage', '0', MANY)
const view = (offset: number, size: readonly number[], stride: readonly number[]) =>
  tensor({ storage: big, offset: int(offset), size, stride })

const open = (views: Parameters<typeof dict>[0]) => openValue(dict(views), { 'data/0': numbers })
const bytesOf = async (file: Checkpoint) =>
  await Promise.all(file.tensors.map(async (_, index) => (await collect(tensorBytes(file, index))).toString('base64')))
const facts = ({ shape, stride, dtype, storage: of }: TensorEntry) => ({ shape, stride, dtype, of })

/** What compacting must never change. */
async function same(before: Checkpoint, after: Checkpoint): Promise<void> {
  expect(after.tensors.map(facts)).toEqual(before.tensors.map(facts))
  expect(after.tree).toEqual(before.tree)
  expect(await bytesOf(after)).toEqual(await bytesOf(before))
  for (const [index, { byteLength }] of after.storages.entries())
    expect(await collect(after.readStorage(index))).toHaveLength(byteLength)
}

describe('compactStorages', () => {
  test('keeps two rows of a tensor of 4 MiB, and says what it left out', async () => {
    await using file = await open({ rows: view(512 * 1024, [2, 1024], [1024, 1]) })
    const compact = compactStorages(file)
    expect(compact.storages[0]!.byteLength).toBe(2 * 1024 * 4)
    expect(compact.tensors[0]!.storageOffset).toBe(0)
    expect(compact.warnings).toEqual([
      expect.stringMatching(
        /^4,186,112 bytes that no tensor reaches were left out \(4,186,112 of 4,194,304 in "0"\).*clone/,
      ),
    ])
    await same(file, compact)
  })

  test('closes holes between views, and views that share memory still do', async () => {
    await using file = await open({
      a: view(100_000, [10_000], [1]),
      // The second half of `a`, and a column of it.
      b: view(105_000, [50, 100], [100, 1]),
      column: view(100_001, [100], [100]),
      far: view(900_000, [7], [3]),
      last: view(MANY - 1, [], []),
    })
    const compact = compactStorages(file)
    await same(file, compact)
    const [a, b, column] = compact.tensors
    expect(b!.storageOffset - a!.storageOffset).toBe(5_000)
    expect(column!.storageOffset - a!.storageOffset).toBe(1)
    // 64 bytes is what each end may keep for alignment.
    expect(compact.storages[0]!.byteLength).toBeLessThan(10_000 * 4 + 19 * 4 + 4 + 6 * 64)
  })

  test('reads any part of what it kept', async () => {
    await using file = await open({ a: view(5_000, [3000], [1]), b: view(500_000, [3000], [1]) })
    const compact = compactStorages(file)
    const whole = await collect(compact.readStorage(0))
    for (const [offset, length] of [
      [0, 10],
      [11_990, 40],
      [12_100, 500],
      [whole.length - 1, 1],
      [whole.length, 0],
      [17, whole.length - 17],
    ] as const)
      expect(
        (await collect(compact.readStorage(0, offset, length))).equals(whole.subarray(offset, offset + length)),
      ).toBe(true)
    expect(() => compact.readStorage(0, 1, whole.length)).toThrow(RangeError)
  })

  test('leaves alone what saves little, and what nothing is a view of', async () => {
    await using whole = await open({ all: view(0, [MANY], [1]) })
    expect(compactStorages(whole)).toBe(whole)
    // 32 KiB of 4 MiB: less than a sixteenth.
    await using most = await open({ most: view(4096, [MANY - 8192], [1]) })
    expect(compactStorages(most)).toBe(most)
    // Every second column reaches everything.
    await using strided = await open({ columns: view(0, [1024, 512], [1024, 2]) })
    expect(compactStorages(strided)).toBe(strided)
    // 2 KiB saved of 4.
    await using small = await openValue(
      dict({ a: tensor({ storage: storage('FloatStorage', '0', 1024), size: [512], stride: [1] }) }),
      {
        'data/0': numbers.subarray(0, 4096),
      },
    )
    expect(compactStorages(small)).toBe(small)
  })

  test('a view without elements keeps nothing, and an offset that can be read again', async () => {
    await using file = await open({ none: view(1_000_000, [0, 4], [4, 1]) })
    const compact = compactStorages(file)
    expect(compact.storages[0]!.byteLength).toBe(0)
    expect(compact.tensors[0]!.storageOffset).toBe(0)
    await same(file, compact)
  })

  test('a storage with 100,000 views far apart takes no time', async () => {
    await using file = await open({ one: view(0, [1], [1]) })
    const tensors = Array.from({ length: 100_000 }, (_, i) => ({ ...file.tensors[0]!, storageOffset: i * 4096 }))
    const storages = [{ ...file.storages[0]!, byteLength: 2 ** 40 }]
    const begun = process.cpuUsage()
    const compact = compactStorages({ ...file, tensors, storages })
    // Looking for each view's span from the first one on would take minutes.
    expect(process.cpuUsage(begun).user / 1e6).toBeLessThan(5)
    expect(compact.storages[0]!.byteLength).toBe(100_000 * 64)
    expect(compact.tensors.at(-1)!.storageOffset).toBe(99_999 * 16)
  })
})
