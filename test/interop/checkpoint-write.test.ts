import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { open as openFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import {
  layoutTorchZip,
  readCheckpoint,
  readLayout,
  writtenValue,
  type LayoutSource,
  type ValueNode,
} from '../../src/checkpoint/index.ts'
import { openCheckpointFile } from '../../src/cli/open-checkpoint-file.ts'
import { fileSource } from '../../src/container/index.ts'
import { sourceOf, writeLayout } from '../checkpoint/write-file.ts'
import { findPython } from './python.ts'

/** Other and more cases for a longer search: NOGRAD_CASES=1000 NOGRAD_SEED=2. */
const COUNT = Number(process.env['NOGRAD_CASES'] ?? 320)
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
  /** In how many ways PyTorch reads the original, and was compared. */
  readonly ways?: number
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

/** Bytes of a storage that 32 bits cannot count. */
const LARGE = 2 ** 32 + 4097

/** A file of a storage of zeros and a small one behind it. The zeros are not written: they are a hole in the file. */
async function writeSparse(path: string): Promise<void> {
  const nodes: ValueNode[] = [
    { kind: 'string', value: 'large' },
    { kind: 'tensor', tensor: 0 },
    { kind: 'string', value: 'small' },
    { kind: 'tensor', tensor: 1 },
  ]
  const entries: [number, number][] = [
    [0, 1],
    [2, 3],
  ]
  nodes.push({ kind: 'ordered_dict', entries })
  const view = { stride: [1], storageOffset: 0, requiresGrad: false, isParameter: false }
  const storage = { location: 'cpu', conversion: null }
  const layout = layoutTorchZip({
    tree: { nodes, root: 4 },
    tensors: [
      { ...view, storage: 0, dtype: 'uint8', shape: [LARGE] },
      { ...view, storage: 1, dtype: 'float32', shape: [3] },
    ],
    storages: [
      { ...storage, key: '0', dtype: 'uint8', byteLength: LARGE },
      { ...storage, key: '1', dtype: 'float32', byteLength: 12 },
    ],
  })
  const small = Buffer.from(Float32Array.of(1, 2, 3).buffer)
  const source: LayoutSource = {
    // The first one is never looked at: PyTorch does not check, and zeros take long.
    checksums: [1, crc32(small)],
    async *read([range]) {
      yield await Promise.resolve(small.subarray(range!.offset, range!.offset + range!.length))
    },
  }
  const file = await openFile(path, 'w')
  try {
    for (const [i, offset] of layout.offsets.entries()) {
      if (layout.segments[i] === layout.data[0]) continue
      const end = layout.offsets[i + 1] ?? layout.byteLength
      let at = offset
      for await (const piece of readLayout(layout, source, offset, end - offset))
        at += (await file.write(piece, 0, piece.length, at)).bytesWritten
    }
  } finally {
    await file.close()
  }
}

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
      await using opened = await openCheckpointFile(original)
      const { checkpoint } = opened
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
      // Plainly, with weights_only, and mapped into memory.
      const opened = [1, 2, 3].map((count) => answers.filter(({ ways }) => ways! >= count).length)
      expect(opened[0]).toBeGreaterThan(200)
      expect(opened[2]).toBeGreaterThan(50)
    },
    600_000,
  )

  interop('have the very pickle of torch.save where it is a plain state_dict', () => {
    const plain = pairs
      .filter(({ original }) => /digits_cnn(_epoch1|_cuda0|_dataparallel)?\.pth$/.test(original))
      .map((pair) => ({ ...pair, pickle: true }))
    expect(compare(python!, plain).map(({ samePickle }) => samePickle)).toEqual(plain.map(() => true))
  })

  interop(
    'may have storages of more than 4 GiB, and others behind them',
    async () => {
      const path = join(folder, 'large.pth')
      await writeSparse(path)
      await using read = await readCheckpoint(await fileSource(path))
      expect(read.storages.map(({ byteLength }) => byteLength)).toEqual([LARGE, 12])
      const program = `
import sys, torch, zipfile
value = torch.load(sys.argv[1], mmap=True, weights_only=True)
infos = zipfile.ZipFile(sys.argv[1]).infolist()
small = zipfile.ZipFile(sys.argv[1]).read("archive/data/1")
print(list(value["large"].shape), value["small"].tolist(), [i.file_size for i in infos if "/data/" in i.filename], len(small))
`
      const printed = execFileSync(python!, ['-c', program, path], { encoding: 'utf8' })
      expect(printed).toBe(`[${LARGE}] [1.0, 2.0, 3.0] [${LARGE}, 12] 12\n`)
    },
    120_000,
  )

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
