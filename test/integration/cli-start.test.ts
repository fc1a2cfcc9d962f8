import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { writeDigits } from './cli/big-dataset.ts'
import {
  dataFolder,
  fixture,
  lives,
  nograd,
  spawnNograd,
  startPlatform,
  until,
  type StartedPlatform,
} from './cli/nograd.ts'

let data: ReturnType<typeof dataFolder>
let started: readonly StartedPlatform[] = []
beforeEach(() => {
  data = dataFolder()
})
afterEach(async () => {
  const platforms = started
  started = []
  for (const platform of platforms) await platform.stop('SIGKILL')
  await until(() => platforms.every((platform) => platform.processes().length === 0), 30_000)
  data[Symbol.dispose]()
}, 60_000)

const DIGITS = [
  ...['--architecture', fixture('digits_cnn.onnx'), '--checkpoint', fixture('digits_cnn.pth')],
  ...['--dataset', fixture('digits_test.npz'), '--task', 'multiclass'],
]

const start = async (args?: readonly string[], env?: NodeJS.ProcessEnv): Promise<StartedPlatform> => {
  const platform = await startPlatform(data.path, args, env)
  started = [...started, platform]
  return platform
}
const platformFile = (): string => join(data.path, 'platform.json')

test('an empty database gets the sample, the next start finds it there', async () => {
  const first = await start([])
  const { stdout } = first.running.said()
  expect(stdout).toContain('importing digits_cnn.pth')
  expect(stdout).toMatch(/^evaluating the sample: 450 of 450 samples, [\d,]+\/s, F1 0\.9891$/m)
  expect(stdout).toMatch(/^accuracy +0\.988889 +0\.9743 … 0\.9952$/m)
  expect(stdout).toMatch(/^true \\ predicted/m)
  expect(stdout.indexOf('accuracy')).toBeLessThan(stdout.indexOf('nograd is ready'))
  // The query that it says to paste.
  const command = /^ {2}(curl .*)$/m.exec(stdout)![1]!
  const answer = JSON.parse(execFileSync('sh', ['-c', command], { encoding: 'utf8' })) as {
    data: { runs: { nodes: readonly object[] } }
  }
  expect(answer.data.runs.nodes).toEqual([
    expect.objectContaining({ name: 'sample', status: 'SUCCEEDED', samples: 450 }),
  ])
  await first.stop('SIGINT')

  const second = await start([])
  expect(second.running.said().stdout).not.toContain('importing')
  const { stdout: runs } = await nograd(['runs', '--json'], { NOGRAD_DATA_DIR: data.path })
  expect((JSON.parse(runs) as { runs: readonly object[] }).runs).toHaveLength(1)
  await second.stop()
}, 120_000)

describe('a platform that runs', () => {
  const shared = dataFolder()
  let platform: StartedPlatform
  beforeAll(async () => {
    platform = await startPlatform(shared.path)
  }, 120_000)
  afterAll(async () => {
    await platform.stop('SIGKILL')
    await until(() => platform.processes().length === 0, 30_000)
    shared[Symbol.dispose]()
  }, 60_000)

  test('says where it is', () => {
    const { pid, url } = JSON.parse(readFileSync(join(shared.path, 'platform.json'), 'utf8')) as {
      pid: number
      url: string
    }
    expect({ pid, url }).toEqual({ pid: platform.running.child.pid, url: platform.url })
    expect(platform.processes()).toHaveLength(2)
  })

  test('a second one on the same folder says where the first one is', async () => {
    const { code, stderr } = await nograd(['start', '--port', '0', '--data-dir', shared.path])
    expect(code).toBe(1)
    expect(stderr).toMatch(
      new RegExp(`^error: nograd already runs on .*: ${platform.url} \\(process ${platform.running.child.pid!}`),
    )
    expect(stderr).not.toMatch(/^ +at /m)
  })

  test('one on the same port says who has it and how to choose another', async () => {
    const { port } = new URL(platform.url)
    const { code, stdout, stderr } = await nograd(['start', '--data-dir', data.path], { NOGRAD_PORT: port })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(`port ${port} of 127.0.0.1 is taken by process ${platform.running.child.pid!} (`)
    expect(stderr).toContain('npm start -- --port')
    expect(stderr).not.toMatch(/^ +at /m)
    // Nothing was begun.
    expect(readdirSync(data.path)).toEqual([])
  })

  test('replaces a worker that was killed, and evaluates with the new one', async () => {
    const [worker] = platform.processes()
    process.kill(worker!, 'SIGKILL')
    await until(() => platform.processes().length === 2 && !platform.processes().includes(worker!), 20_000)
    const { code } = await nograd(['evaluate', '--url', platform.url, ...DIGITS])
    expect(code).toBe(0)
  }, 60_000)

  test('SIGTERM stops everything, quietly', async () => {
    const processes = platform.processes()
    expect(processes).toHaveLength(2)
    const { code, stderr } = await platform.stop('SIGTERM')
    expect(code).toBe(0)
    expect(stderr).not.toMatch(/"level":(50|60)/)
    expect(processes.filter(lives)).toEqual([])
    expect(existsSync(join(shared.path, 'platform.json'))).toBe(false)
  })
})

test('the second signal does not wait for what the first one waits for', async () => {
  const platform = await start()
  const processes = platform.processes()
  // An upload that does not come to its end keeps the API from stopping.
  const upload = request(`${platform.url}/uploads/endless.pth`, {
    method: 'PUT',
    headers: { 'content-length': 1_000_000 },
  })
  upload.on('error', () => undefined)
  upload.write(Buffer.alloc(1000))
  await sleep(500)
  platform.running.child.kill('SIGINT')
  await until(() => platform.running.said().stdout.includes('once more to stop at once'), 5_000)
  await sleep(500)
  const { exitCode } = platform.running.child
  const { code } = await platform.stop('SIGINT')
  upload.destroy()
  expect({ exitCode, code }).toEqual({ exitCode: null, code: 130 })
  await until(() => processes.every((pid) => !lives(pid)), 20_000)
}, 60_000)

test('a killed main process leaves nothing that runs, and the next start works', async () => {
  const platform = await start()
  const processes = platform.processes()
  expect(processes).toHaveLength(2)
  platform.running.child.kill('SIGKILL')
  await until(() => processes.every((pid) => !lives(pid)), 20_000)
  const next = await start()
  const { code } = await nograd(['runs'], { NOGRAD_DATA_DIR: data.path })
  expect(code).toBe(0)
  await next.stop('SIGHUP')
}, 120_000)

describe('evaluate without a platform', () => {
  const args = ['evaluate', ...DIGITS, '--json']

  test('starts one for the duration, which two may share, and keeps the runs', async () => {
    const env = { NOGRAD_DATA_DIR: data.path }
    const outcomes = await Promise.all([nograd(args, env), nograd(args, env)])
    expect(outcomes.map(({ code, stderr }) => ({ code, stderr }))).toEqual([
      { code: 0, stderr: '' },
      { code: 0, stderr: '' },
    ])
    await until(
      () => !existsSync(platformFile()) && !existsSync(join(data.path, 'postgres/cluster/postmaster.pid')),
      20_000,
    )
    const { stdout, stderr } = await nograd(['runs', '--json'], env)
    expect(stderr).toBe('')
    expect((JSON.parse(stdout) as { runs: readonly object[] }).runs).toHaveLength(2)
    expect(existsSync(join(data.path, 'postgres/cluster/postmaster.pid'))).toBe(false)
    expect(readdirSync(join(data.path, 'users'))).toEqual([])
  }, 120_000)

  test('a file over the limit is refused by name, also while it is being sent', async () => {
    const large = join(data.path, 'large.safetensors')
    writeDigits(large, 50_000)
    const env = { NOGRAD_DATA_DIR: data.path, NOGRAD_MAX_UPLOAD_BYTES: '1MiB' }
    const { code, stdout, stderr } = await nograd([...args, '--dataset', large], env)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'LIMIT_EXCEEDED', message: expect.stringContaining('1048576') },
    })
  }, 60_000)

  test('a command that is killed leaves nothing behind', async () => {
    const running = spawnNograd(args, { NOGRAD_DATA_DIR: data.path })
    await until(() => existsSync(platformFile()), 60_000)
    const { pid } = JSON.parse(readFileSync(platformFile(), 'utf8')) as { pid: number }
    running.child.kill('SIGKILL')
    await until(() => !lives(pid) && !existsSync(join(data.path, 'postgres/cluster/postmaster.pid')), 30_000)
    expect(existsSync(platformFile())).toBe(false)
  }, 120_000)
})

test('roles that run alone need a database, and say so', async () => {
  for (const role of ['api', 'worker']) {
    const { code, stdout, stderr } = await nograd([role, '--data-dir', data.path])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(new RegExp(`^error: \`${role}\` alone needs DATABASE_URL=`))
  }
})

test('a database that is not there is said in one line, without its password', async () => {
  const env = { DATABASE_URL: 'postgresql://someone:very-secret@127.0.0.1:9/nograd' }
  const { code, stdout, stderr } = await nograd(['start', '--port', '0', '--data-dir', data.path], env)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).not.toContain('very-secret')
  expect(stderr).toContain('127.0.0.1:9')
  expect(stderr).not.toMatch(/^ +at /m)
  expect(readFileSync(join(data.path, 'logs', 'nograd.log'), 'utf8')).not.toContain('very-secret')
})
