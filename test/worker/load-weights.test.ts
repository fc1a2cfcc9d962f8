import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import type { Graph } from '../../src/architecture/index.ts'
import type { ParameterData } from '../../src/engine/index.ts'
import { contiguousStrides, type DType } from '../../src/tensor/index.ts'
import type { RunPlan, StoredTensor } from '../../src/usecase/index.ts'
import { openBlobCache, type BlobCache, type BlobLease } from '../../src/worker/blob-cache/index.ts'
import { loadWeights } from '../../src/worker/load-weights.ts'

describe('loadWeights', () => {
  let folder: string
  let cache: BlobCache
  let lease: BlobLease
  const storages = new Map<string, Uint8Array>()
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'load-weights-'))
    cache = await openBlobCache({
      folder,
      maxBytes: 1e9,
      source: {
        size: (hash) => Promise.resolve(storages.get(hash)!.byteLength),
        async *read(hash) {
          yield await Promise.resolve(storages.get(hash)!)
        },
      },
      log: pino({ level: 'silent' }),
    })
    lease = cache.lease()
  })
  afterEach(async () => {
    await lease[Symbol.asyncDispose]()
    await cache[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  function storage(data: ArrayBufferView): string {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    const hash = createHash('sha256').update(bytes).digest('hex')
    storages.set(hash, bytes)
    return hash
  }

  const view = (storageHash: string, shape: number[], more: Partial<StoredTensor> = {}): StoredTensor => ({
    dtype: 'float32',
    shape,
    stride: contiguousStrides(shape),
    storageOffset: 0,
    storageHash,
    ...more,
  })

  /** Loads tensors for float32 parameters of the same names. */
  async function load(tensors: Record<string, StoredTensor>, tied: RunPlan['tied'] = []) {
    const graph: Pick<Graph, 'parameters'> = {
      parameters: Object.entries(tensors).map(([name, { shape }]) => ({
        name,
        keys: [name],
        dtype: 'float32',
        shape,
        optional: false,
      })),
    }
    const plan = { graph, parameters: new Map(Object.entries(tensors)), tied } as unknown as RunPlan
    return await loadWeights(plan, lease, new AbortController().signal)
  }

  async function values({ path, offset, length, dtype }: ParameterData): Promise<number[]> {
    expect(dtype).toBe('float32')
    const bytes = (await readFile(path)).subarray(offset, offset + length)
    return [...new Float32Array(new Uint8Array(bytes).buffer)]
  }

  const counting = (length: number) => Float32Array.from({ length }, (_, i) => i)

  test('leaves what is contiguous where it lies, also in the middle of a storage', async () => {
    const hash = storage(counting(12))
    const loaded = await load({ whole: view(hash, [3, 4]), row: view(hash, [4], { storageOffset: 4 }) })
    expect(loaded.get('whole')!.path).toBe(loaded.get('row')!.path)
    expect(await values(loaded.get('whole')!)).toEqual([...counting(12)])
    expect(await values(loaded.get('row')!)).toEqual([4, 5, 6, 7])
  })

  test('puts views in order: transposed, sliced, expanded', async () => {
    const hash = storage(counting(12))
    const loaded = await load({
      transposed: view(hash, [4, 3], { stride: [1, 4] }),
      everyOther: view(hash, [3], { stride: [2], storageOffset: 1 }),
      expanded: view(hash, [2, 3], { stride: [0, 1], storageOffset: 5 }),
      scalar: view(hash, [], { storageOffset: 11 }),
      empty: view(hash, [0, 5]),
    })
    expect(await values(loaded.get('transposed')!)).toEqual([0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11])
    expect(await values(loaded.get('everyOther')!)).toEqual([1, 3, 5])
    expect(await values(loaded.get('expanded')!)).toEqual([5, 6, 7, 5, 6, 7])
    expect(await values(loaded.get('scalar')!)).toEqual([11])
    expect(await values(loaded.get('empty')!)).toEqual([])
  })

  test('converts to the parameter’s dtype', async () => {
    const tensor = (dtype: DType, data: ArrayBufferView) => view(storage(data), [2, 2], { dtype, stride: [1, 2] })
    const loaded = await load({
      bfloat16: tensor('bfloat16', Uint16Array.of(0x3f80, 0x4000, 0xc040, 0x4080)),
      float64: tensor('float64', Float64Array.of(0.5, 1.5, 2.5, 3.5)),
      int64: tensor('int64', BigInt64Array.of(-1n, 2n, 3n, 4n)),
    })
    expect(await values(loaded.get('bfloat16')!)).toEqual([1, -3, 2, 4])
    expect(await values(loaded.get('float64')!)).toEqual([0.5, 2.5, 1.5, 3.5])
    expect(await values(loaded.get('int64')!)).toEqual([-1, 3, 2, 4])
  })

  test('insists that tied keys hold the same values, wherever they lie', async () => {
    const matrix = view(storage(counting(4)), [2, 2])
    const copy = view(storage(Float32Array.of(9, 0, 2, 1, 3)), [2, 2], { storageOffset: 1, stride: [1, 2] })
    const other = view(storage(Float32Array.of(0, 1, 2, 4)), [2, 2])
    await load({ a: matrix }, [{ keys: ['a', 'b', 'c'], tensors: [matrix, matrix, copy] }])
    await expect(
      load({ a: matrix }, [{ keys: ['a', 'b', 'c'], tensors: [matrix, copy, other] }]),
    ).rejects.toMatchObject({
      code: 'BINDING_FAILED',
      message: expect.stringMatching(/^a and c are one parameter/),
    })
  })

  test('stops when it is told to', async () => {
    const hash = storage(counting(4))
    const signal = AbortSignal.abort(new Error('enough'))
    const plan = { graph: { parameters: [] }, parameters: new Map([['a', view(hash, [4])]]), tied: [] }
    await expect(loadWeights(plan as unknown as RunPlan, lease, signal)).rejects.toThrow('enough')
  })
})
