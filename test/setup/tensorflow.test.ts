import { describe, expect, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildZip } from '../container/build-zip.ts'
import { TENSORFLOW_FOLDER } from '../engine/native-tensorflow.ts'
import { temporaryFolder } from '../engine/parameter-file.ts'

const SCRIPT = fileURLToPath(new URL('../../scripts/setup-tensorflow.mjs', import.meta.url))

function setUp(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...args], {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '', ...env },
  })
  return { status, text: stdout + stderr }
}

describe('npm run setup:tensorflow', () => {
  const text = (line: string) => Buffer.from(line)
  const wheel = (names: readonly string[]) =>
    buildZip(names.map((name, i) => ({ name, data: text(`contents of ${name}`), deflate: i % 2 === 0 })))

  test.each([
    ['a file that is not there', null, 'nothing.whl', /there is no such file or folder/],
    ['a file of another kind', text('x'), 'notes.txt', /expected a \.whl, a \.tar\.gz or a folder/],
    ['a wheel that is cut short', wheel(['tensorflow/a']).subarray(0, 40), 'cut.whl', /no zip directory/],
    ['another wheel', wheel(['numpy/__init__.py']), 'numpy.whl', /no TensorFlow library \(framework\)/],
    [
      'a wheel that leads out of itself',
      wheel(['tensorflow/include/tensorflow/../../../../evil.h']),
      'evil.whl',
      /leads out of it/,
    ],
    [
      // The library is found, and what comes next does not compile.
      'a wheel that holds no TensorFlow',
      wheel([
        'tensorflow/libtensorflow_cc.so.2',
        'tensorflow/libtensorflow_framework.so.2',
        'tensorflow/include/tensorflow/c/c_api.h',
      ]),
      'fake.whl',
      /compiling|compiler|headers of Node|Python 3/,
    ],
  ])('fails with advice for %s, and leaves nothing', async (_, bytes, name, advice) => {
    await using folder = await temporaryFolder()
    const from = join(folder.path, name)
    const target = join(folder.path, 'target')
    if (bytes !== null) await writeFile(from, bytes)
    const { status, text: said } = setUp(['--from', from, '--to', target])
    expect(said).toMatch(advice)
    expect(status).toBe(1)
    expect(await readdir(folder.path)).toEqual(bytes === null ? [] : [name])
  })

  test('fails with advice for a folder without headers, and for an option that it does not know', async () => {
    await using folder = await temporaryFolder()
    await mkdir(join(folder.path, 'lib'))
    const target = join(folder.path, 'target')
    expect(setUp(['--from', folder.path, '--to', target]).text).toMatch(/holds no include folder/)
    expect(setUp(['--gup'])).toMatchObject({ status: 1, text: expect.stringContaining('--gpu') as unknown })
  })

  test('names what to do where there is no Python to fetch the wheel with', async () => {
    await using folder = await temporaryFolder()
    const said = setUp(['--to', join(folder.path, 'target')], { NOGRAD_PYTHON: join(folder.path, 'no-python') })
    expect(said).toMatchObject({
      status: 1,
      text: expect.stringMatching(/install Python 3.*--from a wheel/) as unknown,
    })
  })

  const stamp = join(TENSORFLOW_FOLDER, 'stamp')
  const withNative = existsSync(stamp) ? test : test.skip
  withNative('does nothing again when it is done, and computes with what is there', () => {
    const { gpu } = JSON.parse(readFileSync(stamp, 'utf8')) as { gpu: boolean }
    expect(setUp(['--to', TENSORFLOW_FOLDER, ...(gpu ? ['--gpu'] : [])])).toMatchObject({
      status: 0,
      text: expect.stringMatching(/done already[^]*TensorFlow \d+\.\d+\.\d+ computes on the /) as unknown,
    })
  })
})
