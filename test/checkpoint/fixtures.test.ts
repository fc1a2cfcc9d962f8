import { describe, expect, test } from '@jest/globals'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import {
  DEFAULT_CHECKPOINT_LIMITS,
  findStateDicts,
  readCheckpoint,
  readCheckpointShards,
  readShardIndex,
  tensorBytes,
  type Checkpoint,
} from '../../src/checkpoint/index.ts'
import { fileSource } from '../../src/container/index.ts'
import { toFloat32, typedArrayOf } from '../../src/tensor/index.ts'
import { collect } from './build-checkpoint.ts'
import { describeCheckpoint, type Description } from './describe-tree.ts'

/** What test/fixtures/make_expected_tensors.py found with a real PyTorch. */
interface Expected {
  readonly path: readonly string[]
  readonly stateDict: Readonly<Record<string, ExpectedTensor>>
  readonly value: Description
}
interface ExpectedTensor {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly stride: readonly number[]
  readonly sha256: string
  readonly first: readonly number[]
  readonly sum: number
}

const fixture = (name: string): string => new URL(`../fixtures/${name}`, import.meta.url).pathname
const { files } = JSON.parse(readFileSync(fixture('expected_tensors.json'), 'utf8')) as {
  files: Readonly<Record<string, Expected>>
}
const readable = Object.entries(files)

async function open(name: string): Promise<Checkpoint> {
  const source = await fileSource(fixture(name))
  return readCheckpoint(source).catch(async (error: unknown) => {
    await source[Symbol.asyncDispose]()
    throw error
  })
}

describe('a checkpoint that PyTorch wrote holds what PyTorch reads:', () => {
  test.each(readable)('%s', async (name, expected) => {
    await using checkpoint = await open(name)
    expect(checkpoint.warnings).toEqual([])
    const [best] = findStateDicts(checkpoint)
    expect(best!.path).toEqual(expected.path)
    if (name.endsWith('.pth')) expect([...best!.tensors.keys()]).toEqual(Object.keys(expected.stateDict))
    expect([...best!.tensors.keys()].sort()).toEqual(Object.keys(expected.stateDict).sort())
    for (const [key, index] of best!.tensors) {
      const { dtype, shape, stride } = checkpoint.tensors[index]!
      const bytes = await collect(tensorBytes(checkpoint, index))
      const values = [...toFloat32(dtype, typedArrayOf(dtype, bytes))]
      const { first, sum, ...rest } = expected.stateDict[key]!
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      expect({ key, dtype, shape, stride, sha256 }).toEqual({ key, ...rest })
      expect(values.slice(0, 4)).toEqual(first)
      expect(values.reduce((total, value) => total + value, 0)).toBeCloseTo(sum, 6)
    }
  })

  test.each(readable.filter(([, { value }]) => value !== null))('the whole value of %s', async (name, { value }) => {
    await using checkpoint = await open(name)
    expect(await describeCheckpoint(checkpoint)).toEqual(value)
  })

  test('the location of every storage as saved', async () => {
    for (const [name, location] of [
      ['digits_cnn.pth', 'cpu'],
      ['digits_cnn_cuda0.pth', 'cuda:0'],
      ['digits_cnn.safetensors', 'cpu'],
    ] as const) {
      await using checkpoint = await open(name)
      expect(new Set(checkpoint.storages.map((storage) => storage.location))).toEqual(new Set([location]))
    }
  })

  test('the globals of the pickle in order of first use', async () => {
    await using checkpoint = await open('digits_cnn.pth')
    expect(checkpoint.globals.map(({ module, name }) => `${module}.${name}`)).toEqual([
      'collections.OrderedDict',
      'torch._utils._rebuild_tensor_v2',
      'torch.FloatStorage',
      'torch.LongStorage',
    ])
    expect(checkpoint.globals[0]).toEqual({ module: 'collections', name: 'OrderedDict', offset: 2 })
  })
})

describe('a checkpoint of a kind that is not read is refused by name:', () => {
  test('a whole module, with its classes and the cure', async () => {
    const refused = expect(open('digits_cnn_full_model.pth')).rejects
    await refused.toMatchObject({
      code: 'CHECKPOINT_WHOLE_MODULE',
      message: expect.stringMatching(/torch\.nn\.modules\.container\.Sequential.*Conv2d.*model\.state_dict\(\)/s),
    })
  })
})

describe('what training scripts save, with more than weights:', () => {
  const saved = ['expected.json', 'expected_old.json'].flatMap((name) => {
    const { torch, files: described } = JSON.parse(readFileSync(fixture(`checkpoints/${name}`), 'utf8')) as {
      readonly torch: string
      readonly files: Readonly<Record<string, Description>>
    }
    return Object.entries(described).map(([file, value]) => ({ torch, file, value }))
  })

  test.each(saved)('$file of torch $torch', async ({ file, value }) => {
    await using checkpoint = await open(`checkpoints/${file}`)
    expect(checkpoint.format).toBe(file.includes('legacy') ? 'torch-legacy' : 'torch-zip')
    expect(await describeCheckpoint(checkpoint)).toEqual(value)
  })

  test.each(['lightning.ckpt', 'old_lightning.ckpt'])('%s: the state_dict is found', async (file) => {
    await using checkpoint = await open(`checkpoints/${file}`)
    const [best] = findStateDicts(checkpoint)
    expect(best!.path).toEqual(['state_dict'])
    expect([...best!.tensors.keys()]).toContain('model.0.weight')
  })

  test.each(['model.safetensors', 'pytorch_model.bin'])('the shards of %s hold what the whole does', async (stem) => {
    const folder = (name: string): string => fixture(`checkpoints/sharded/${name}`)
    const index = await fileSource(folder(`${stem}.index.json`))
    const { shards } = await readShardIndex(index, DEFAULT_CHECKPOINT_LIMITS)
    await using checkpoint = await readCheckpointShards(
      index,
      await Promise.all(shards.map((name) => fileSource(folder(name)))),
    )
    await using whole = await open('checkpoints/sharded/whole.pth')
    expect(await bytesByKey(checkpoint)).toEqual(await bytesByKey(whole))
  })

  async function bytesByKey(checkpoint: Checkpoint): Promise<Record<string, unknown>> {
    const found: Record<string, unknown> = {}
    for (const [key, index] of [...findStateDicts(checkpoint)[0]!.tensors].sort()) {
      const { dtype, shape } = checkpoint.tensors[index]!
      found[key] = [dtype, shape, (await collect(tensorBytes(checkpoint, index))).toString('hex')]
    }
    return found
  }
})
