import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dataFolder, fixture, nograd, startPlatform, type StartedPlatform } from './cli/nograd.ts'
import { graphql } from './api/client.ts'
import { safetensorsFile } from './usecase/safetensors-file.ts'

/** No command here may need one: nothing listens there. */
const NO_DATABASE = { DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none' }

describe('nograd inspect of a file', () => {
  test('shows what is in it, without a platform', async () => {
    const { code, stdout, stderr } = await nograd(
      ['inspect', fixture('digits_cnn_training_checkpoint.pth'), '--tree'],
      NO_DATABASE,
    )
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/format +torch-zip, version 3, little-endian/)
    expect(stdout).toMatch(/state_dicts +model_state_dict \(18 tensors\)/)
    expect(stdout).toMatch(/^0\.weight +float32 +\[16, 1, 3, 3\] +576 B$/m)
    expect(stdout).toMatch(/^ {2}epoch: 9$/m)
    expect(stdout).toMatch(/^ {4}0\.weight: tensor float32 \[16, 1, 3, 3\]$/m)
    expect(stdout).not.toContain('\u001b')
  })

  test('as JSON has everything, with statistics', async () => {
    using folder = dataFolder()
    const path = join(folder.path, 'w.safetensors')
    const arrays = {
      good: { dtype: 'float32', shape: [4], data: Float32Array.of(1, 2, 3, 4) },
      'bad.weight': { dtype: 'float32', shape: [3], data: Float32Array.of(NaN, -Infinity, 0) },
    } as const
    writeFileSync(path, safetensorsFile(arrays))
    const { code, stdout } = await nograd(['inspect', path, '--stats', '--sha256', '--json', '--key', '*'])
    expect(code).toBe(0)
    const report = JSON.parse(stdout) as { tensors: { key: string; statistics: unknown }[] }
    expect(report).toMatchObject({
      ...{ source: path, format: 'safetensors', parameters: 7, tensorCount: 2, statistics: 'READY' },
      ...{ storages: { count: 2, bytes: 28 }, locations: ['cpu'], sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    })
    const of = (key: string) => report.tensors.find((tensor) => tensor.key === key)?.statistics
    expect(of('good')).toMatchObject({ min: 1, max: 4, mean: 2.5, nan: 0 })
    expect(of('bad.weight')).toMatchObject({ nan: 1, negativeInfinity: 1, zeros: 1, max: 0 })
    const text = await nograd(['inspect', path, '--stats', '--key', 'bad'])
    expect(text.stdout).toMatch(/warning +bad\.weight is not finite: 1 NaN, 1 -Inf/)
    expect(text.stdout).not.toMatch(/^good/m)
  })

  test('of a whole module lists what it names, and fails', async () => {
    const path = fixture('digits_cnn_full_model.pth')
    const { code, stdout, stderr } = await nograd(['inspect', path])
    expect(code).toBe(1)
    expect(stdout).toMatch(/torch\.nn\.modules\.container\.Sequential +\d+ +not on the closed list/)
    expect(stderr).toMatch(/\[CHECKPOINT_WHOLE_MODULE\]/)
    const json = await nograd(['inspect', path, '--json'])
    expect(json.code).toBe(1)
    expect(JSON.parse(json.stdout)).toMatchObject({ error: { code: 'CHECKPOINT_WHOLE_MODULE' } })
  })

  test('of a pickle that would run a command says so', async () => {
    using folder = dataFolder()
    const path = join(folder.path, 'evil.pkl')
    // pickle protocol 2 of os.system('true')
    writeFileSync(path, Buffer.from('\x80\x02cposix\nsystem\nX\x04\0\0\0true\x85R.', 'latin1'))
    const { code, stdout, stderr } = await nograd(['inspect', path])
    expect(code).toBe(1)
    expect(stdout).toMatch(/posix\.system +2 +runs a command of the operating system/)
    expect(stderr).toMatch(/\[CHECKPOINT_UNSAFE_GLOBAL\]/)
  })

  test('that is not there is wrong usage', async () => {
    expect(await nograd(['inspect', '/nowhere.pth'])).toMatchObject({ code: 2, stdout: '' })
    expect(await nograd(['inspect', fixture('digits_test.npz')])).toMatchObject({ code: 1, stdout: '' })
  })
})

describe('nograd compare-checkpoints of files', () => {
  test('finds the same weights in two formats, and the distance of others', async () => {
    const same = await nograd(
      ['compare-checkpoints', fixture('digits_cnn.pth'), fixture('digits_cnn.safetensors')],
      NO_DATABASE,
    )
    expect([same.code, same.stderr]).toEqual([0, ''])
    expect(same.stdout).toMatch(/equal +18 tensors, 100\.0 % of the values' bytes/)
    expect(same.stdout).toMatch(/No tensor differs\./)

    const { code, stdout } = await nograd([
      ...['compare-checkpoints', fixture('digits_cnn.pth'), fixture('digits_cnn_bf16.pth'), '--json'],
    ])
    expect(code).toBe(0)
    const report = JSON.parse(stdout) as { tensors: { change: string; distance: { relativeL2: number } }[] }
    expect(report).toMatchObject({ added: [], removed: [], equalTensors: 2, storages: { common: 8 } })
    const cast = report.tensors.filter(({ change }) => change === 'DTYPE')
    expect(cast).toHaveLength(16)
    // Rounding to eight bits of precision is off by 2^-9 at most.
    for (const { distance } of cast) expect(distance.relativeL2).toBeLessThan(2 ** -8)
    for (const { distance } of cast) expect(distance.relativeL2).toBeGreaterThan(0)
  })

  test('does not take a file and an id', async () => {
    const id = 'ckp_01990000-0000-7000-8000-000000000003'
    expect(await nograd(['compare-checkpoints', fixture('digits_cnn.pth'), id])).toMatchObject({ code: 2, stdout: '' })
  })
})

describe('on a platform', () => {
  let platform: StartedPlatform
  const folder = dataFolder()
  const ids: string[] = []
  beforeAll(async () => {
    platform = await startPlatform(folder.path)
    for (const file of ['digits_cnn.pth', 'digits_cnn_epoch1.pth']) {
      const path = join(folder.path, file)
      copyFileSync(fixture(file), path)
      const { code, stderr } = await nograd([
        ...['evaluate', '--architecture', fixture('digits_cnn.layers.json'), '--checkpoint', path],
        ...['--dataset', fixture('digits_test.npz'), '--task', 'multiclass', '--url', platform.url, '--json'],
      ])
      if (code !== 0) throw new Error(stderr)
    }
    const answer: unknown = await graphql(platform.url, '{ checkpoints { nodes { id } } }')
    const { nodes } = (answer as { data: { checkpoints: { nodes: { id: string }[] } } }).data.checkpoints
    ids.push(...nodes.map(({ id }) => id).reverse())
  }, 180_000)
  afterAll(async () => {
    await platform.stop()
    folder[Symbol.dispose]()
  }, 60_000)

  test('a checkpoint is inspected by its id, with the statistics of the file', async () => {
    const local = await nograd(['inspect', fixture('digits_cnn.pth'), '--stats', '--json'])
    const { code, stdout, stderr } = await nograd(['inspect', ids[0]!, '--stats', '--json', '--url', platform.url])
    expect([code, stderr]).toEqual([0, ''])
    const [stored, file] = [stdout, local.stdout].map(
      (text) => JSON.parse(text) as { tensors: unknown[]; parameters: number },
    )
    expect(stored).toMatchObject({
      source: ids[0],
      format: 'torch-zip',
      parameters: file!.parameters,
      statistics: 'READY',
    })
    expect(stored!.tensors).toEqual(file!.tensors)
    const tree = await nograd(['inspect', ids[0]!, '--tree', '--url', platform.url])
    expect(tree.stdout).toMatch(/^ordered_dict of 18$/m)
  }, 90_000)

  test('two are compared as their files are', async () => {
    const files = await nograd([
      'compare-checkpoints',
      fixture('digits_cnn.pth'),
      fixture('digits_cnn_epoch1.pth'),
      '--json',
    ])
    const { code, stdout, stderr } = await nograd([
      'compare-checkpoints',
      ids[0]!,
      ids[1]!,
      '--json',
      '--url',
      platform.url,
    ])
    expect([code, stderr]).toEqual([0, ''])
    const [stored, local] = [stdout, files.stdout].map((text) => JSON.parse(text) as Record<string, unknown>)
    expect({ ...stored, base: '', other: '' }).toEqual({ ...local, base: '', other: '' })
    expect(stored).toMatchObject({ base: ids[0], other: ids[1] })
  }, 90_000)
})
