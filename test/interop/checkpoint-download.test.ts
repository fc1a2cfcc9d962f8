import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NO_DISPLAY } from '../../src/cli/transfer-display.ts'
import { convertFile } from '../../src/cli/convert-file.ts'
import { findPython } from './python.ts'

const python = findPython(['torch', 'numpy', 'safetensors'])
const withTorch = python === null ? describe.skip : describe

const fixture = (name: string): string => new URL(`../fixtures/${name}`, import.meta.url).pathname
const never = new AbortController().signal

withTorch('what is changed on the way out', () => {
  let folder: string

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nograd-download-'))
    expect(ask({ prepare: folder })).toEqual([])
  }, 120_000)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const ask = (request: unknown): unknown => {
    const script = new URL('checkpoint_cast.py', import.meta.url).pathname
    const args = ['-B', '-W', 'ignore', script]
    return JSON.parse(execFileSync(python!, args, { input: JSON.stringify(request), encoding: 'utf8' }))
  }
  type Options = Parameters<typeof convertFile>[1]
  async function convert(original: string, name: string, options: Omit<Options, 'output'> = {}): Promise<string> {
    const output = join(folder, name)
    await convertFile(original, { ...options, output }, NO_DISPLAY, never)
    return output
  }

  test.each(['float16', 'bfloat16', 'float32'] as const)(
    'has the bits of Tensor.to(%s): NaN, subnormals, overflow, ties; whole numbers stay',
    async (dtype) => {
      const original = join(folder, 'casts.pth')
      const written = await convert(original, `cast-${dtype}.pth`, { dtype, format: 'pth' })
      const fixtures = await Promise.all(
        ['digits_cnn.pth', 'digits_cnn_bf16.pth'].map(async (name) => ({
          original: fixture(name),
          written: await convert(fixture(name), `${dtype}-${name}`, { dtype, format: 'pth' }),
          dtype,
        })),
      )
      expect(ask({ casts: [{ original, written, dtype }, ...fixtures] })).toEqual([])
    },
    120_000,
  )

  test('is opened by safetensors: views made dense, tied weights tied', async () => {
    const cases = await Promise.all(
      ['casts', 'tied', 'dense'].map(async (name) => ({
        original: join(folder, `${name}.pth`),
        written: await convert(join(folder, `${name}.pth`), `${name}.safetensors`, { format: 'safetensors' }),
      })),
    )
    const tied = { written: join(folder, 'tied.safetensors'), model_keys: join(folder, 'tied.pth') }
    expect(ask({ safetensors: cases, tied: [tied] })).toEqual([])
  }, 120_000)

  test('loads with no argument where there is no CUDA, once its tags say cpu', async () => {
    const original = fixture('digits_cnn_cuda0.pth')
    const location = async (
      name: string,
      mapLocation: NonNullable<Options['mapLocation']>,
      tags: readonly string[],
    ) => ({
      original,
      written: await convert(original, name, { mapLocation, format: 'pth' }),
      tags,
    })
    const mapped = [
      await location('cpu.pth', { device: 'cpu' }, ['cpu']),
      await location('tag.pth', { tags: [{ from: 'cuda:0', to: 'cpu' }] }, ['cpu']),
      // Exact lookup: `cuda` is not `cuda:0`.
      await location('other.pth', { tags: [{ from: 'cuda', to: 'cpu' }] }, ['cuda:0']),
      await location('mps.pth', { device: 'mps' }, ['mps']),
    ]
    expect(ask({ mapped })).toEqual([])
  }, 120_000)

  test('goes on training with the same losses', async () => {
    const original = join(folder, 'training.pth')
    expect(ask({ resume: [{ original, written: await convert(original, 'resumed.pth', { format: 'pth' }) }] })).toEqual(
      [],
    )
  }, 120_000)
})
