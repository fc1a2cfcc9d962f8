import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { openLog } from '../../src/main/log.ts'
import { isAlive } from '../../src/main/platform-file.ts'
import { superviseWorker, type WorkerSupervisor } from '../../src/main/worker-supervisor.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nograd-supervisor-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** A program that is ready at once and stops when it loses its parent, as the worker does. */
const WELL_BEHAVED = `
  process.on('disconnect', () => process.exit(0))
  setInterval(() => {}, 1000)
  process.send('ready')`

function supervise(program: string): { readonly worker: WorkerSupervisor; readonly log: () => string } {
  const file = join(folder, 'worker.cjs')
  writeFileSync(file, program)
  const path = join(folder, 'log')
  const log = openLog({ role: 'start', output: null, file: { path, level: 'info' }, secrets: [] })
  return {
    worker: superviseWorker({ program: file, args: [], env: process.env, log }),
    log: () => readFileSync(path, 'utf8'),
  }
}

test('a worker that is killed is noticed and started again', async () => {
  const { worker, log } = supervise(WELL_BEHAVED)
  await worker.ready
  const first = worker.pid()
  process.kill(first!, 'SIGKILL')
  const second = await otherPid(worker, first)
  expect(second).not.toBe(first)
  expect(log()).toContain('the worker process was killed by SIGKILL; starting another in 0.5 s')
  await worker[Symbol.asyncDispose]()
  expect(isAlive(second)).toBe(false)
  expect(worker.pid()).toBeNull()
})

test('one that dies again and again is started less and less often, and says why', async () => {
  const { worker, log } = supervise("console.error('no library'); process.exit(3)")
  const deadline = Date.now() + 20_000
  while (!log().includes('starting another in 2 s') && Date.now() < deadline) await sleep(50)
  await worker[Symbol.asyncDispose]()
  for (const wait of ['0.5', '1', '2'])
    expect(log()).toContain(`the worker process ended with code 3; starting another in ${wait} s`)
  expect(log()).toContain('no library')
})

test('stopping does not start another', async () => {
  const { worker, log } = supervise(WELL_BEHAVED)
  await worker.ready
  await worker[Symbol.asyncDispose]()
  await sleep(700)
  expect(worker.pid()).toBeNull()
  expect(log().match(/is started/g)).toHaveLength(1)
})

async function otherPid(worker: WorkerSupervisor, known: number | null): Promise<number> {
  const deadline = Date.now() + 10_000
  while (Date.now() < deadline) {
    const pid = worker.pid()
    if (pid !== null && pid !== known) return pid
    await sleep(20)
  }
  throw new Error('no other worker was started')
}
