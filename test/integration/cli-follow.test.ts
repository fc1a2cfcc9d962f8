import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { writeDigits } from './cli/big-dataset.ts'
import { dataFolder, fixture, nograd, spawnNograd, startPlatform, until, type StartedPlatform } from './cli/nograd.ts'

/** Enough for some seconds in batches of 2. */
const SAMPLES = 60_000

const data = dataFolder()
const digits = join(data.path, 'many.safetensors')
const args = [
  ...['evaluate', '--architecture', fixture('digits_cnn.layers.json'), '--checkpoint', fixture('digits_cnn.pth')],
  ...['--dataset', digits, '--task', 'multiclass', '--batch-size', '2'],
]
let platform: StartedPlatform
beforeAll(async () => {
  writeDigits(digits, SAMPLES)
  platform = await startPlatform(data.path)
}, 120_000)
afterAll(async () => {
  await platform.stop()
  data[Symbol.dispose]()
}, 60_000)

const runs = async (): Promise<readonly { name: string | null; status: string; samples: number }[]> => {
  const { stdout } = await nograd(['runs', '--json', '--url', platform.url])
  return (JSON.parse(stdout) as { runs: readonly { name: string | null; status: string; samples: number }[] }).runs
}

test('a command whose connections are cut goes on, and its run too', async () => {
  const sockets = new Set<Socket>()
  const { port } = new URL(platform.url)
  // Between the command and the platform, where cables are pulled.
  const proxy = createServer((near) => {
    const far = connect(Number(port), '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('error', () => to.destroy()).on('close', () => to.destroy())
      from.pipe(to)
    }
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`

  const running = spawnNograd([...args, '--url', url, '--name', 'cut'])
  let cuts = 0
  for (let samples = 1; samples < SAMPLES / 2 && cuts < 3; cuts++) {
    const at = samples
    await until(() => seen(running.said().stderr) > at || running.child.exitCode !== null, 60_000)
    samples = seen(running.said().stderr)
    for (const socket of sockets) socket.destroy()
    sockets.clear()
  }
  const { code, stdout, stderr } = await running.ended
  proxy.close()
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/60,000 of 60,000 samples/) })
  expect(stdout).toMatch(/^cut SUCCEEDED: 60,000 samples/)
  expect(cuts).toBeGreaterThan(0)
}, 180_000)

test('Ctrl-C cancels the run', async () => {
  const running = spawnNograd([...args, '--url', platform.url, '--name', 'interrupted'])
  await until(() => seen(running.said().stderr) > 0, 60_000)
  const began = Date.now()
  running.child.kill('SIGINT')
  const { code, stderr } = await running.ended
  expect(Date.now() - began).toBeLessThan(5_000)
  expect(code).toBe(130)
  expect(stderr).toMatch(/\[RUN_CANCELLED\]\n$/)
  const [run] = (await runs()).filter(({ name }) => name === 'interrupted')
  expect(run).toMatchObject({ status: 'CANCELLED' })
  expect(run!.samples).toBeLessThan(SAMPLES)
}, 120_000)

test('cancel, from another terminal', async () => {
  const running = spawnNograd([...args, '--url', platform.url, '--name', 'cancelled', '--json'])
  const id = await runningId()
  const { code, stdout } = await nograd(['cancel', id, '--url', platform.url])
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: expect.stringMatching(new RegExp(`^${id} (CANCELLED|RUNNING)\n$`)),
  })
  const outcome = await running.ended
  expect(outcome.code).toBe(1)
  expect(JSON.parse(outcome.stderr)).toMatchObject({ error: { code: 'RUN_CANCELLED' } })
  expect(JSON.parse(outcome.stdout)).toMatchObject({ run: { id, status: 'CANCELLED' }, metrics: [] })
}, 120_000)

/** Samples of the last line of progress. */
function seen(stderr: string): number {
  const last = [...stderr.matchAll(/evaluating: ([\d,]+) of/g)].at(-1)?.[1] ?? '0'
  return Number(last.replaceAll(',', ''))
}

async function runningId(): Promise<string> {
  const deadline = Date.now() + 60_000
  while (Date.now() < deadline) {
    const { stdout } = await nograd(['runs', '--json', '--url', platform.url])
    const found = (JSON.parse(stdout) as { runs: readonly { id: string; status: string }[] }).runs.find(
      ({ status }) => status === 'RUNNING',
    )
    if (found !== undefined) return found.id
  }
  throw new Error('no run was seen RUNNING')
}
