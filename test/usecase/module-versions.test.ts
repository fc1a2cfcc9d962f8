import { describe, expect, test } from '@jest/globals'
import { readCheckpoint, type ValueTree } from '../../src/checkpoint/index.ts'
import { fileSource } from '../../src/container/index.ts'
import { moduleVersions } from '../../src/usecase/module-versions.ts'
import { fileURLToPath } from 'node:url'

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))

describe('moduleVersions', () => {
  test.each([
    ['digits_cnn.pth', []],
    ['digits_cnn_training_checkpoint.pth', ['model_state_dict']],
  ])('of %s, which torch.save wrote', async (name, path) => {
    await using checkpoint = await readCheckpoint(await fileSource(fixture(name)))
    const versions = moduleVersions(checkpoint.tree, path)
    expect(versions.get('')).toBe(1)
    // BatchNorm2d: num_batches_tracked came with version 2.
    expect([versions.get('1'), versions.get('4')]).toEqual([2, 2])
    expect(versions.get('0')).toBe(1)
  })

  test('are none where there are none', async () => {
    await using checkpoint = await readCheckpoint(await fileSource(fixture('digits_cnn.safetensors')))
    expect(moduleVersions(checkpoint.tree, [])).toEqual(new Map())
    expect(moduleVersions(checkpoint.tree, ['nowhere'])).toEqual(new Map())
    const list: ValueTree = { nodes: [{ kind: 'list', items: [1] }, { kind: 'none' }], root: 0 }
    expect(moduleVersions(list, ['0'])).toEqual(new Map())
    expect(moduleVersions(list, ['7', 'x'])).toEqual(new Map())
  })
})
