import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { makeClone, runNode, type Clone, type Outcome } from './clone.ts'

let clone: Clone
const setUp = (env?: NodeJS.ProcessEnv): Promise<Outcome> => runNode(['scripts/setup.mjs'], clone.folder, env)
const inClone = (...parts: readonly string[]): string => join(clone.folder, ...parts)
const lock = (pid: number): void => {
  mkdirSync(inClone('.setup-lock'))
  writeFileSync(inClone('.setup-lock', 'owner.json'), JSON.stringify({ pid, host: hostname() }))
}

describe('with packages', () => {
  beforeAll(() => {
    clone = makeClone(true)
  })
  afterAll(() => clone[Symbol.dispose]())

  test('does what is to be done, one line for each thing, once when two begin at the same time', async () => {
    const both = await Promise.all([setUp(), setUp()])
    expect(both.map(({ code }) => code)).toEqual([0, 0])
    const lines = both.flatMap(({ stderr }) => stderr.trim().split('\n')).filter((line) => line !== '')
    const steps = lines.filter((line) => / … \d+\.\d s$/.test(line))
    expect(steps.map((line) => line.replace(/ … .*/, ''))).toEqual([
      'set-up: linking the libraries of the embedded PostgreSQL',
      'set-up: generating the Prisma client from prisma/schema.prisma',
      'set-up: generating types from schema.graphql',
      'set-up: bundling src to dist',
      'set-up: building the admin client',
    ])
    expect(lines.length - steps.length).toBe(1)
    expect(lines).toContainEqual(
      expect.stringMatching(/^set-up: process \d+ on .* is setting up this folder; waiting for it$/),
    )
    for (const file of [
      'dist/main.js',
      'src/store/prisma/client.ts',
      'src/api/generated/resolvers.ts',
      'admin/dist/index.html',
    ])
      expect(existsSync(inClone(file))).toBe(true)
    expect(existsSync(inClone('.setup-lock'))).toBe(false)
  }, 180_000)

  test('has nothing to do then, and says nothing, also after git has set all times to now', async () => {
    expect(await setUp()).toMatchObject({ code: 0, stdout: '', stderr: '' })
    const now = new Date()
    for (const path of readdirSync(inClone('src'), { recursive: true, encoding: 'utf8' }))
      utimesSync(inClone('src', path), now, now)
    for (const path of ['package-lock.json', 'schema.graphql', 'prisma/schema.prisma'])
      utimesSync(inClone(path), now, now)
    const again = await setUp()
    expect(again).toMatchObject({ code: 0, stdout: '', stderr: '' })
    expect(again.milliseconds).toBeLessThan(3_000)
  })

  test('bin/nograd.js runs the program then', async () => {
    const { code, stdout, stderr } = await runNode([inClone('bin/nograd.js'), 'evaluate', '--json'], tmpdir())
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '["evaluate","--json"]\n', stderr: '' })
  })

  test('does again what a change concerns, and no more', async () => {
    appendFileSync(inClone('schema.graphql'), '\n"Planted."\nenum Planted {\n  "A seed."\n  SEED\n}\n')
    const { code, stderr } = await setUp()
    expect(code).toBe(0)
    expect(stderr).toContain('generating types')
    expect(stderr).toContain('bundling')
    expect(stderr).not.toContain('Prisma')
  }, 60_000)

  test('breaks the lock of a process that died', async () => {
    rmSync(inClone('dist/main.js'))
    const dead = await runNode(['-p', 'process.pid'], clone.folder)
    lock(Number(dead.stdout))
    const { code, stderr } = await setUp()
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.not.stringContaining('waiting') })
    expect(existsSync(inClone('.setup-lock'))).toBe(false)
    expect(existsSync(inClone('dist/main.js'))).toBe(true)
  }, 60_000)

  test('waits for a process that lives', async () => {
    rmSync(inClone('src/store/prisma/client.ts'))
    lock(process.pid)
    const running = setUp()
    setTimeout(() => rmSync(inClone('.setup-lock'), { recursive: true }), 1_000)
    const { code, stderr, milliseconds } = await running
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(`process ${process.pid} on`),
    })
    expect(milliseconds).toBeGreaterThan(900)
  }, 60_000)

  test('forgets stamps that cannot be read', async () => {
    writeFileSync(inClone('node_modules/.nograd-setup.json'), '{ "packages": ')
    const { code, stderr } = await setUp()
    expect(code).toBe(0)
    expect(stderr).not.toContain('npm ci')
    expect(stderr.trim().split('\n')).toHaveLength(5)
  }, 60_000)

  test('shows what a generator says, and fails', async () => {
    const schema = readFileSync(inClone('schema.graphql'), 'utf8')
    writeFileSync(inClone('schema.graphql'), `${schema}\nscalar Weed\n`)
    const { code, stderr } = await setUp()
    writeFileSync(inClone('schema.graphql'), schema)
    expect(code).toBe(1)
    expect(stderr).toContain('Unknown scalar type Weed')
  }, 60_000)

  test('shows what the bundler says, and fails', async () => {
    appendFileSync(inClone('src/main.ts'), 'export const = 1\n')
    const { code, stderr } = await setUp()
    expect(code).toBe(1)
    expect(stderr).toContain('[ERROR] Expected identifier but found "="')
    expect(stderr).toContain('src/main.ts:2:13:')
  }, 60_000)
})

describe('without packages', () => {
  beforeAll(() => {
    clone = makeClone(false)
  })
  afterAll(() => clone[Symbol.dispose]())

  test('installs them, and says what to do when the registry cannot be reached', async () => {
    // A port that nothing listens on, an empty cache, no second try.
    const { code, stderr } = await setUp({
      npm_config_registry: 'http://127.0.0.1:9/',
      npm_config_cache: inClone('cache'),
      npm_config_fetch_retries: '0',
    })
    expect(code).toBe(1)
    expect(stderr).toContain('set-up: installing the packages of package-lock.json (npm ci; a minute or two) … failed')
    expect(stderr).toContain('ECONNREFUSED')
    expect(stderr).toContain('The npm registry cannot be reached.')
    expect(stderr).not.toMatch(/at .*setup\.mjs/)
  }, 120_000)

  test('bin/nograd.js sets up before anything else', async () => {
    const { code, stdout, stderr } = await runNode([inClone('bin/nograd.js'), '--version'], clone.folder, {
      PATH: '',
      npm_execpath: '',
    })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^set-up: installing the packages/)
  }, 120_000)
})
