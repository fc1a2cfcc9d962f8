import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readCheckpoint, type Checkpoint } from '../../src/checkpoint/index.ts'
import { TORCH_GLOBALS } from '../../src/checkpoint/pickle/globals.ts'
import { fileSource } from '../../src/container/index.ts'
import { collect } from '../checkpoint/build-checkpoint.ts'
import { describeCheckpoint, type Description } from '../checkpoint/describe-tree.ts'
import { findPython } from './python.ts'

/** Other and more cases for a longer search: NOGRAD_CASES=1000 NOGRAD_SEED=2. */
const COUNT = Number(process.env['NOGRAD_CASES'] ?? 56)
const SEED = Number(process.env['NOGRAD_SEED'] ?? 7)

/** What checkpoint_random.py prints. */
interface Written {
  readonly torch: string
  readonly files: readonly {
    readonly file: string
    readonly protocol?: number
    readonly value?: Description
    readonly tensors?: Readonly<Record<string, Readonly<Record<string, Description>>>>
  }[]
  readonly allowed: readonly string[]
}

const python = findPython(['torch', 'numpy', 'safetensors'])
const interop = python === null ? test.skip : test

describe('checkpoints that a real PyTorch wrote', () => {
  let folder: string
  let written: Written

  beforeAll(() => {
    if (python === null) return
    folder = mkdtempSync(join(tmpdir(), 'nograd-interop-'))
    const script = new URL('checkpoint_random.py', import.meta.url).pathname
    const args = ['-B', '-W', 'ignore', script, folder, String(COUNT), String(SEED)]
    written = JSON.parse(execFileSync(python, args, { encoding: 'utf8', maxBuffer: 2 ** 28 })) as Written
  }, 300_000)
  afterAll(() => {
    if (python !== null) rmSync(folder, { recursive: true, force: true })
  })

  async function open(file: string): Promise<Checkpoint> {
    const source = await fileSource(join(folder, file))
    return readCheckpoint(source).catch(async (error: unknown) => {
      await source[Symbol.asyncDispose]()
      throw error
    })
  }

  interop(
    `hold the same values and bytes: ${COUNT} random ones`,
    async () => {
      expect(written.files).toHaveLength(COUNT)
      for (const { file, protocol, value, tensors } of written.files) {
        await using checkpoint = await open(file)
        for (const [index, { byteLength }] of checkpoint.storages.entries())
          expect(await collect(checkpoint.readStorage(index))).toHaveLength(byteLength)
        expect([file, checkpoint.warnings]).toEqual([file, []])
        const found = await describeCheckpoint(checkpoint)
        if (tensors) expect([file, tensorsByName(found)]).toEqual([file, tensorsByNameExpected(tensors)])
        else expect([file, protocol, found]).toEqual([file, protocol, value])
      }
    },
    300_000,
  )

  interop('name only what PyTorch’s own closed list names', () => {
    expect([...TORCH_GLOBALS].sort()).toEqual(written.allowed)
  })

  /** Each tensor of a safetensors file has a storage of its own, so storage numbers say nothing. */
  function tensorsByName(found: Description): Record<string, Description> {
    const [, , entries] = found as ['dict', number, [['string', string], ['tensor', number, Description, null]][]]
    return Object.fromEntries(entries.map(([[, name], [, , tensor]]) => [name, withoutStorage(tensor)]))
  }

  const tensorsByNameExpected = (tensors: Readonly<Record<string, Description>>): Record<string, Description> =>
    Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, withoutStorage(tensor)]))

  function withoutStorage(tensor: Description): Description {
    const fields = Object.entries(tensor as Record<string, Description>)
    return Object.fromEntries(fields.filter(([name]) => !name.startsWith('storage')))
  }
})
