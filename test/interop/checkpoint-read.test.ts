import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  findStateDicts,
  opaqueTensors,
  readCheckpoint,
  readCheckpointShards,
  type Checkpoint,
} from '../../src/checkpoint/index.ts'
import { TORCH_GLOBALS } from '../../src/checkpoint/pickle/globals.ts'
import { fileSource } from '../../src/container/index.ts'
import { collect } from '../checkpoint/build-checkpoint.ts'
import { describeCheckpoint, type Description } from '../checkpoint/describe-tree.ts'
import { findOldPython, findPython } from './python.ts'

/** Other and more cases for a longer search: NOGRAD_CASES=1000 NOGRAD_SEED=2. */
const COUNT = Number(process.env['NOGRAD_CASES'] ?? 200)
const OLD_COUNT = Math.ceil(COUNT / 4)
const SEED = Number(process.env['NOGRAD_SEED'] ?? 7)

/** What checkpoint_random.py prints. */
interface Written {
  readonly torch: string
  readonly files: readonly {
    readonly file: string
    readonly format: string
    readonly protocol?: number
    readonly value?: Description
    readonly shards?: readonly string[]
    readonly tensors?: Readonly<Record<string, Readonly<Record<string, Description>>>>
  }[]
  /** Null where this PyTorch has no such list. */
  readonly allowed: readonly string[] | null
}

describe.each([
  ['a current PyTorch', findPython(['torch', 'numpy', 'safetensors']), COUNT],
  ['PyTorch 1 (NOGRAD_PYTHON_OLD)', findOldPython(), OLD_COUNT],
])('checkpoints that %s wrote', (_name, python, count) => {
  const interop = python === null ? test.skip : test
  let folder: string
  let written: Written

  beforeAll(() => {
    if (python === null) return
    folder = mkdtempSync(join(tmpdir(), 'nograd-interop-'))
    const script = new URL('checkpoint_random.py', import.meta.url).pathname
    const args = ['-B', '-W', 'ignore', script, folder, String(count), String(SEED)]
    written = JSON.parse(execFileSync(python, args, { encoding: 'utf8', maxBuffer: 2 ** 28 })) as Written
  }, 600_000)
  afterAll(() => {
    if (python !== null) rmSync(folder, { recursive: true, force: true })
  })

  async function open(file: string, shards?: readonly string[]): Promise<Checkpoint> {
    const sources = await Promise.all([file, ...(shards ?? [])].map((name) => fileSource(join(folder, name))))
    try {
      return await (shards === undefined
        ? readCheckpoint(sources[0]!)
        : readCheckpointShards(sources[0]!, sources.slice(1).reverse()))
    } catch (error) {
      for (const source of sources) await source[Symbol.asyncDispose]()
      throw error
    }
  }

  interop(
    `hold the same values and bytes: ${count} random ones`,
    async () => {
      expect(written.files).toHaveLength(count)
      for (const { file, format, protocol, value, shards, tensors } of written.files) {
        await using checkpoint = await open(file, shards).catch((error: unknown) => {
          throw new Error(`${file} (${format}, protocol ${protocol ?? 2}) is refused`, { cause: error })
        })
        expect([file, checkpoint.format]).toEqual([file, format])
        for (const [index, { byteLength }] of checkpoint.storages.entries())
          expect(await collect(checkpoint.readStorage(index))).toHaveLength(byteLength)
        expect([file, checkpoint.warnings]).toEqual([file, []])
        const found = await describeCheckpoint(checkpoint)
        if (tensors) expect([file, tensorsByName(found)]).toEqual([file, tensorsByNameExpected(tensors)])
        else expect([file, protocol, found]).toEqual([file, protocol, value])
      }
    },
    600_000,
  )

  interop(
    'have state_dicts that can be looked for, whatever they hold',
    async () => {
      for (const { file, shards } of written.files) {
        await using checkpoint = await open(file, shards)
        for (const { path } of findStateDicts(checkpoint)) opaqueTensors(checkpoint.tree, path)
      }
    },
    600_000,
  )

  interop('name only what PyTorch’s own closed list names', () => {
    if (written.allowed !== null) expect([...TORCH_GLOBALS].sort()).toEqual(written.allowed)
  })

  /** Each tensor of a safetensors file has a storage of its own, so storage numbers say nothing; nor do they of shards. */
  function tensorsByName(found: Description): Record<string, Description> {
    const [, , entries] = found as ['dict', number, [['string', string], ['tensor', number, Description, null]][]]
    const numbered = new Map<number, Description>()
    return Object.fromEntries(
      entries.map(([[, name], [kind, number, tensor]]) => {
        if ((kind as string) !== 'same') numbered.set(number, tensor)
        return [name, withoutStorage(numbered.get(number)!)]
      }),
    )
  }

  const tensorsByNameExpected = (tensors: Readonly<Record<string, Description>>): Record<string, Description> =>
    Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, withoutStorage(tensor)]))

  function withoutStorage(tensor: Description): Description {
    const fields = Object.entries(tensor as Record<string, Description>)
    return Object.fromEntries(fields.filter(([name]) => !name.startsWith('storage')))
  }
})

/** What the readers of this repository do as PyTorch does, although its files suggest otherwise. */
describe('torch.load itself', () => {
  const python = findPython(['torch'])
  const interop = python === null ? test.skip : test

  interop('ignores the byte order that a file before 1.6 names: its numbers are little-endian', () => {
    const program = `
import io, torch
f = io.BytesIO()
torch.save(torch.tensor([1.0, 2.0]), f, _use_new_zipfile_serialization=False)
b = f.getvalue()
at = b.index(b"\\x88", b.index(b"little_endian"))
print(torch.load(io.BytesIO(b[:at] + b"\\x89" + b[at + 1:])).tolist())`
    expect(execFileSync(python!, ['-c', program.replaceAll('\\\\', '\\')], { encoding: 'utf8' }).trim()).toBe(
      '[1.0, 2.0]',
    )
  })
})
