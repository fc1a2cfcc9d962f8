import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { lockDataFolder } from '../../src/main/data-folder-lock.ts'
import { ROOT } from '../setup/clone.ts'

const MODULE = pathToFileURL(join(ROOT, 'dist-test/main/data-folder-lock.js')).href
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nograd-lock-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('one process at a time', async () => {
  const other = await holder(folder)
  expect(await lockDataFolder(folder)).toBeNull()
  other.kill('SIGTERM')
  await once(other, 'exit')
  const lock = await lockDataFolder(folder)
  expect(lock).not.toBeNull()
  lock?.[Symbol.dispose]()
})

test('a process that was killed holds nothing', async () => {
  const other = await holder(folder)
  other.kill('SIGKILL')
  await once(other, 'exit')
  const lock = await lockDataFolder(folder)
  expect(lock).not.toBeNull()
  lock?.[Symbol.dispose]()
})

test('another folder is another lock, the same folder by another path is not', async () => {
  using lock = await lockDataFolder(folder)
  expect(lock).not.toBeNull()
  using other = await lockDataFolder(join(folder, 'other'))
  expect(other).not.toBeNull()
  expect(await lockDataFolder(`${folder}/./other/..`)).toBeNull()
})

/** A process that has the lock. */
async function holder(dataDir: string): Promise<ChildProcess> {
  const program = `
    const { lockDataFolder } = await import(${JSON.stringify(MODULE)})
    console.log((await lockDataFolder(process.argv[1])) === null ? 'taken' : 'held')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  expect(said.toString().trim()).toBe('held')
  return child
}
