import { describe, expect, test } from '@jest/globals'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { prepareParameters, type DenseValues } from '../../src/evaluation/index.ts'
import { typedArrayOf, type DType, type Shape } from '../../src/tensor/index.ts'
import { noise, parameter } from '../engine/graphs.ts'
import { temporaryFolder } from '../engine/parameter-file.ts'
import { fixtureCase } from './fixture-case.ts'
import type { ParameterData } from '../../src/engine/index.ts'

const numbers = async ({ path, offset, length, dtype }: ParameterData): Promise<number[]> =>
  Array.from(typedArrayOf(dtype, Uint8Array.from((await readFile(path)).subarray(offset, offset + length))), Number)

const prepare = async (folder: string, dtype: DType, shape: Shape, values: DenseValues) =>
  (await prepareParameters([parameter('w', shape, dtype)], new Map([['w', values]]), join(folder, 'out'))).get('w')!

describe('parameters', () => {
  test('of the graph’s own dtype stay where they are', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'storage')
    await writeFile(path, new Uint8Array(100))
    const data = await prepare(folder.path, 'float32', [2, 3], {
      kind: 'file',
      dtype: 'float32',
      path,
      offset: 40,
      length: 24,
    })
    expect(data).toEqual({ dtype: 'float32', shape: [2, 3], path, offset: 40, length: 24 })
    await expect(stat(join(folder.path, 'out'))).rejects.toThrow('ENOENT')
  })

  test('of another dtype are converted, piece by piece', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'storage')
    // More than one piece of 1 MiB.
    const values = Float64Array.from(noise(300_000, 1))
    await writeFile(path, Buffer.concat([Buffer.alloc(8), new Uint8Array(values.buffer)]))
    const source = { kind: 'file', dtype: 'float64', path, offset: 8, length: values.byteLength } as const
    const data = await prepare(folder.path, 'float32', [300, 1000], source)
    expect(data).toMatchObject({ path: join(folder.path, 'out'), length: 1_200_000 })
    expect(await numbers(data)).toEqual([...values].map(Math.fround))
  })

  test('in memory are written, each aligned, beside others', async () => {
    await using folder = await temporaryFolder()
    const parameters = [parameter('a', [3]), parameter('b', []), parameter('c', [2], 'int64'), parameter('absent', [1])]
    const values = new Map<string, DenseValues>([
      ['a', { kind: 'bytes', dtype: 'float32', bytes: new Uint8Array(Float32Array.of(1, 2, 3).buffer) }],
      ['b', { kind: 'bytes', dtype: 'float16', bytes: Uint8Array.of(0x00, 0x3e) }],
      ['c', { kind: 'bytes', dtype: 'int32', bytes: new Uint8Array(Int32Array.of(-5, 7).buffer) }],
    ])
    const source = await prepareParameters(parameters, values, join(folder.path, 'out'))
    expect([...source.keys()]).toEqual(['a', 'b', 'c'])
    for (const { offset } of source.values()) expect(offset % 64).toBe(0)
    expect(await numbers(source.get('a')!)).toEqual([1, 2, 3])
    expect(await numbers(source.get('b')!)).toEqual([1.5])
    expect(await numbers(source.get('c')!)).toEqual([-5, 7])
  })

  test('of the wrong length are refused', async () => {
    await using folder = await temporaryFolder()
    const short: DenseValues = { kind: 'bytes', dtype: 'float32', bytes: new Uint8Array(20) }
    await expect(prepare(folder.path, 'float32', [2, 3], short)).rejects.toMatchObject({
      code: 'CHECKPOINT_CORRUPT',
      message: 'parameter w: 20 bytes of float32 were found, 6 elements need 24',
    })
  })

  test('of a bfloat16 checkpoint are those of the float32 one, rounded', async () => {
    await using one = await temporaryFolder()
    await using other = await temporaryFolder()
    const of = (checkpoint: string, folder: string) =>
      fixtureCase(
        { architecture: 'digits_cnn.layers.json', checkpoint, dataset: 'digits_test.npz', task: 'MULTICLASS' },
        folder,
      )
    const half = await of('digits_cnn_bf16.pth', one.path)
    const full = await of('digits_cnn.pth', other.path)
    expect(half.parameters.size).toBe(full.parameters.size)
    for (const [name, data] of half.parameters) {
      expect(data.dtype).toBe(full.parameters.get(name)!.dtype)
      const expected = await numbers(full.parameters.get(name)!)
      ;(await numbers(data)).forEach((found, i) =>
        expect(Math.abs(found - expected[i]!)).toBeLessThanOrEqual(Math.abs(expected[i]!) * 2 ** -8),
      )
    }
  })
})
