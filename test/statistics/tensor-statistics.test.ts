import { describe, expect, test } from '@jest/globals'
import { addTo, joinSums, NO_SUM, totalOf } from '../../src/statistics/compensated-sum.ts'
import {
  addValues,
  emptyDistribution,
  frameOf,
  mergeDistributions,
  momentsOf,
} from '../../src/statistics/distribution.ts'
import { BLOCK_ELEMENTS, elementBlocks } from '../../src/statistics/element-blocks.ts'
import { EMPTY_EXTENT, extentOf, mergeExtents } from '../../src/statistics/extent.ts'
import {
  comparedTensor,
  commonBytes,
  compareStateDicts,
  hasStatistics,
  incomparable,
  notFiniteText,
  tensorDistance,
  tensorStatistics,
  type HashedTensor,
} from '../../src/statistics/index.ts'

/** Bytes in pieces of odd lengths, whose memory is used again. */
async function* oddly(bytes: Uint8Array, size = 1003): AsyncGenerator<Uint8Array> {
  const piece = new Uint8Array(size)
  for (let at = 0; at < bytes.length; at += size) {
    const part = bytes.subarray(at, at + size)
    piece.set(part)
    yield await Promise.resolve(piece.subarray(0, part.length))
  }
}
const bytesOf = (array: ArrayBufferView): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength)

describe('tensorStatistics', () => {
  test('does not depend on the pieces, nor on whether the tensor is read twice', async () => {
    const values = new Float64Array(4_300_000).map((_, i) => Math.sin(i) * (i % 1000))
    let reads = 0
    const read = (size: number) => () => {
      reads++
      return oddly(bytesOf(values), size)
    }
    const large = await tensorStatistics('float64', values.length, read(65_537))
    expect(reads).toBe(2)
    expect(await tensorStatistics('float64', values.length, read(2 ** 20))).toEqual(large)
    expect(large.histogram!.counts.reduce((sum, count) => sum + count)).toBe(values.length)

    reads = 0
    const small = values.subarray(0, 100_000)
    await tensorStatistics('float64', small.length, () => (reads++, oddly(bytesOf(small))))
    expect(reads).toBe(1)
  })

  test('knows values beyond float64 sums and squares', async () => {
    const huge = Float64Array.of(1.7e308, 1.7e308, -1.7e308, 1.7e308)
    const found = await tensorStatistics('float64', 4, () => oddly(bytesOf(huge)))
    expect(found.mean).toBe(1.7e308 / 2)
    // √(3/4 · 4/3 …): deviations are 0.85e308 three times and 2.55e308 once; n − 1 is 3.
    expect(found.std! / 1.7e308).toBeCloseTo(1, 14)
    expect(found.norm).toBeNull()
    const tiny = Float64Array.of(3e-310, 4e-310)
    const small = await tensorStatistics('float64', 2, () => oddly(bytesOf(tiny)))
    expect(small.norm! / 5e-310).toBeCloseTo(1, 12)
  })

  test('of nothing, or of nothing finite, is null', async () => {
    const nothing = { min: null, max: null, mean: null, std: null, norm: null, histogram: null }
    expect(await tensorStatistics('float32', 0, () => oddly(new Uint8Array()))).toMatchObject({
      elements: 0,
      ...nothing,
    })
    const nan = Float32Array.of(NaN, Infinity, -Infinity)
    expect(await tensorStatistics('float32', 3, () => oddly(bytesOf(nan)))).toMatchObject({
      ...{ elements: 3, nan: 1, positiveInfinity: 1, negativeInfinity: 1, ...nothing },
    })
  })

  test('of equal values has them all in the last bin', async () => {
    const { histogram, std } = await tensorStatistics('int8', 3, () => oddly(Uint8Array.of(7, 7, 7)))
    expect(histogram!.edges).toEqual(Array<number>(65).fill(7))
    expect(histogram!.counts.indexOf(3)).toBe(63)
    expect(std).toBe(0)
  })

  test('is refused for a dtype that has none', async () => {
    expect(hasStatistics('quint4x2')).toBe(false)
    await expect(tensorStatistics('quint4x2', 1, () => oddly(new Uint8Array(1)))).rejects.toThrow(/no statistics/)
  })
})

describe('the accumulators', () => {
  const values = Float64Array.from({ length: 5000 }, (_, i) => (i % 7 === 0 ? 0 : Math.cos(i) * 10 ** (i % 9)))
  const part = (from: number, to: number) => values.slice(from, to)

  test('merge as if all had been in one', () => {
    const cuts = [0, 1, 700, 701, 4096, 5000]
    const parts = cuts.slice(1).map((to, i) => part(cuts[i]!, to))
    const whole = extentOf(part(0, 5000), 5000)
    const merged = parts.map((some) => extentOf(some, some.length)).reduce(mergeExtents, EMPTY_EXTENT)
    expect({ ...merged, roughSum: 0 }).toEqual({ ...whole, roughSum: 0 })

    const frame = frameOf(whole)
    const distributions = parts.map((some) => addValues(frame, emptyDistribution(), some, some.length))
    const all = addValues(frame, emptyDistribution(), part(0, 5000), 5000)
    const joined = distributions.reduce(mergeDistributions, emptyDistribution())
    expect([...joined.counts]).toEqual([...all.counts])
    const [one, other] = [momentsOf(frame, joined), momentsOf(frame, all)]
    for (const name of ['mean', 'std', 'norm'] as const) expect(one[name]! / other[name]!).toBeCloseTo(1, 13)
  })

  test('put what is not finite behind the rest', () => {
    const some = Float64Array.of(NaN, 1, Infinity, 2, -Infinity, 3)
    expect(extentOf(some, 6)).toMatchObject({ elements: 6, nan: 1, min: 1, max: 3, zeros: 0 })
    expect([...some.subarray(0, 3)]).toEqual([1, 2, 3])
  })

  test('lose nothing where large and small numbers meet', () => {
    const sum = [1e100, 1, -1e100, 1].reduce(addTo, NO_SUM)
    expect(totalOf(sum)).toBe(2)
    expect(totalOf(joinSums([1e100, 1].reduce(addTo, NO_SUM), [-1e100, 1].reduce(addTo, NO_SUM)))).toBe(2)
  })

  test('get blocks of whole elements', async () => {
    const bytes = new Uint8Array(3 * BLOCK_ELEMENTS * 2 + 10).map((_, i) => i)
    const lengths: number[] = []
    let at = 0
    for await (const block of elementBlocks(oddly(bytes, 777), 2)) {
      lengths.push(block.length)
      expect(Buffer.compare(block, bytes.subarray(at, at + block.length))).toBe(0)
      at += block.length
    }
    expect(lengths).toEqual([...Array<number>(3).fill(2 * BLOCK_ELEMENTS), 10])
  })
})

describe('tensorDistance', () => {
  const of = (array: Float32Array | Float64Array) => ({
    dtype: array instanceof Float32Array ? ('float32' as const) : ('float64' as const),
    elements: () => oddly(bytesOf(array), 999),
  })

  test('leaves pairs out that are not finite, and calls equal bytes identical', async () => {
    const a = Float32Array.of(1, NaN, 3, Infinity)
    expect(await tensorDistance(of(a), of(a))).toMatchObject({ identical: true, notFinite: 2, l2: 0, relativeL2: 0 })
    const b = Float32Array.of(2, 5, 3, 7)
    expect(await tensorDistance(of(a), of(b))).toMatchObject({
      identical: false,
      notFinite: 2,
      l2: 1,
      maxAbsDifference: 1,
    })
  })

  test('of zero has no direction', async () => {
    const zero = new Float32Array(3)
    const one = Float32Array.of(1, 2, 2)
    expect(await tensorDistance(of(zero), of(one))).toMatchObject({ l2: 3, relativeL2: null, cosineSimilarity: null })
    expect(await tensorDistance(of(zero), of(zero))).toMatchObject({ l2: 0, relativeL2: 0, cosineDistance: null })
  })

  test('is the same between float32 and float64, and 2 between opposites', async () => {
    const a = Float32Array.of(0.5, -2)
    expect(await tensorDistance(of(a), of(Float64Array.from(a)))).toMatchObject({ identical: false, l2: 0 })
    expect((await tensorDistance(of(a), of(a.map((value) => -value)))).cosineDistance).toBe(2)
  })

  test('is refused between tensors of different lengths or kinds', async () => {
    await expect(tensorDistance(of(new Float32Array(3)), of(new Float32Array(4)))).rejects.toThrow(/different lengths/)
    const long = new Float32Array(BLOCK_ELEMENTS)
    await expect(tensorDistance(of(long), of(new Float32Array(2 * BLOCK_ELEMENTS)))).rejects.toThrow(
      /different lengths/,
    )
    expect(incomparable('complex64', 'float32')).toMatch(/complex/)
    expect(incomparable('qint8', 'int8')).toMatch(/quantized/)
    expect(incomparable('qint8', 'qint8')).toBeNull()
    expect(incomparable('bfloat16', 'float64')).toBeNull()
  })
})

describe('state_dicts side by side', () => {
  const tensor = (storageHash: string, more: Partial<HashedTensor> = {}): HashedTensor => ({
    ...{ dtype: 'float32', shape: [2, 3], stride: [3, 1], storageOffset: 0, storageHash },
    ...more,
  })

  test('tell added, removed, equal, reshaped and cast keys apart', () => {
    const base = new Map([
      ['same', tensor('a')],
      ['view', tensor('a')],
      ['reshaped', tensor('a')],
      ['cast', tensor('a')],
      ['gone', tensor('a')],
    ])
    const other = new Map([
      ['new', tensor('b')],
      ['same', tensor('a')],
      ['view', tensor('a', { storageOffset: 1 })],
      ['reshaped', tensor('a', { shape: [6], stride: [1] })],
      ['cast', tensor('b', { dtype: 'bfloat16' })],
    ])
    const { added, removed, shared } = compareStateDicts(base, other)
    expect([added, removed]).toEqual([['new'], ['gone']])
    const changes = shared.map((key) => comparedTensor(key, null)).map(({ key, change }) => [key, change])
    expect(changes).toEqual([
      ['same', 'UNCHANGED'],
      ['view', null],
      ['reshaped', 'SHAPE'],
      ['cast', 'DTYPE'],
    ])
  })

  test('have bytes in common, each storage counted once', () => {
    const base = new Map([
      ['a', 10],
      ['b', 20],
    ])
    const other = new Map([
      ['b', 20],
      ['c', 60],
    ])
    expect(commonBytes(base, other)).toEqual({ base: 30, other: 80, common: 20, share: 0.25 })
    expect(commonBytes(base, new Map())).toMatchObject({ share: null })
  })
})

test('what is not finite is said in words', () => {
  expect(notFiniteText({ nan: 0, positiveInfinity: 0, negativeInfinity: 0 })).toBeNull()
  expect(notFiniteText({ nan: 3, positiveInfinity: 0, negativeInfinity: 1 })).toBe('3 NaN, 1 -Inf')
})
