import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { layoutTorchZip, readCheckpoint, writtenValue } from '../../src/checkpoint/index.ts'
import { fileSource } from '../../src/container/index.ts'
import { sourceOf, writeLayout } from '../checkpoint/write-file.ts'
import { findPython } from './python.ts'

/** Other and more cases for a longer search: NOGRAD_CASES=1000 NOGRAD_SEED=2. */
const COUNT = Number(process.env['NOGRAD_CASES'] ?? 240)
const SEED = Number(process.env['NOGRAD_SEED'] ?? 11)

const FIXTURES = [
  'cancer_mlp.pth',
  'digits_cnn.pth',
  'digits_cnn_bf16.pth',
  'digits_cnn_cuda0.pth',
  'digits_cnn_dataparallel.pth',
  'digits_cnn_epoch1.pth',
  'digits_cnn_training_checkpoint.pth',
]

interface Answer {
  readonly written: string
  /** Null when every CRC-32 is right; the name of the first wrong entry otherwise. */
  readonly testzip: string | null
  readonly problems: readonly string[]
  readonly samePickle?: boolean
  readonly read?: number
}

const python = findPython(['torch', 'numpy', 'safetensors'])
const interop = python === null ? test.skip : test

/** A Python with PyTorch 1.13: NOGRAD_PYTHON_OLD, or Debian's python3-torch. */
const oldPython = [process.env['NOGRAD_PYTHON_OLD'], '/usr/bin/python3'].find(
  (candidate) =>
    candidate !== undefined &&
    spawnSync(candidate, ['-c', 'import torch, numpy; assert torch.__version__.startswith("1.13")']).status === 0,
)
const withOld = python === null || oldPython === undefined ? test.skip : test

describe('files that are written for PyTorch', () => {
  let folder: string
  let pairs: { readonly original: string; readonly written: string; readonly pickle?: boolean }[]

  beforeAll(async () => {
    if (python === null) return
    folder = mkdtempSync(join(tmpdir(), 'nograd-write-'))
    const script = new URL('checkpoint_random.py', import.meta.url).pathname
    const args = ['-B', '-W', 'ignore', script, folder, String(COUNT), String(SEED)]
    const { files } = JSON.parse(execFileSync(python, args, { encoding: 'utf8', maxBuffer: 2 ** 29 })) as {
      files: readonly { readonly file: string }[]
    }
    const originals = files.map(({ file }) => file)
    for (const name of FIXTURES) {
      copyFileSync(new URL(`../fixtures/${name}`, import.meta.url), join(folder, name))
      originals.push(name)
    }
    pairs = []
    for (const name of originals) {
      const original = join(folder, name)
      const written = join(folder, `written-${name}.pth`)
      await using checkpoint = await readCheckpoint(await fileSource(original))
      await writeLayout(written, layoutTorchZip(writtenValue(checkpoint)), sourceOf(checkpoint))
      pairs.push({ original, written })
    }
  }, 600_000)
  afterAll(() => {
    if (python !== null) rmSync(folder, { recursive: true, force: true })
  })

  function compare(interpreter: string, chosen = pairs): readonly Answer[] {
    const script = new URL('checkpoint_compare.py', import.meta.url).pathname
    const { answers } = JSON.parse(
      execFileSync(interpreter, ['-B', '-W', 'ignore', script], {
        input: JSON.stringify({ pairs: chosen }),
        encoding: 'utf8',
        maxBuffer: 2 ** 28,
      }),
    ) as { answers: readonly Answer[] }
    expect(answers).toHaveLength(chosen.length)
    return answers
  }

  const torchFiles = () => pairs.filter(({ original }) => original.endsWith('.pth'))

  interop(
    `are equal to what they were made of: ${COUNT} random ones and the fixtures`,
    () => {
      const answers = compare(python!, torchFiles())
      expect(answers.filter(({ problems, testzip }) => problems.length > 0 || testzip !== null)).toEqual([])
      expect(answers.length).toBeGreaterThan(200)
    },
    600_000,
  )

  interop('have the very pickle of torch.save where it is a plain state_dict', () => {
    const plain = pairs
      .filter(({ original }) => /digits_cnn(_epoch1|_cuda0|_dataparallel)?\.pth$/.test(original))
      .map((pair) => ({ ...pair, pickle: true }))
    expect(compare(python!, plain).map(({ samePickle }) => samePickle)).toEqual(plain.map(() => true))
  })

  withOld(
    'are equal for PyTorch 1.13 too, where it reads what they were made of',
    () => {
      const answers = compare(oldPython!, torchFiles())
      expect(answers.filter(({ problems }) => problems.length > 0)).toEqual([])
      expect(answers.filter(({ read }) => read! > 0).length).toBeGreaterThan(20)
    },
    600_000,
  )
})
