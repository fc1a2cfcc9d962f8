import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ROOT } from '../../setup/clone.ts'

/** What people start. */
const PROGRAM = join(ROOT, 'bin', 'nograd.js')
const START_MS = 200_000

/** Environment of a child process: ours without what belongs to the test runner or to the developer's own platform. */
function environment(more: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(NODE_OPTIONS|NODE_ENV|NOGRAD_.*|DATABASE_URL|PORT)$/.test(name),
  )
  return { ...Object.fromEntries(own), ...more }
}

/** What a process said. */
export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A process of the command line, with what it has said so far. */
export interface Running {
  readonly child: ChildProcess
  said(): { readonly stdout: string; readonly stderr: string }
  readonly ended: Promise<Outcome>
}

/** Starts `nograd ARGS`. */
export function spawnNograd(args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: environment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
  return { child, said: () => ({ stdout, stderr }), ended }
}

/** Runs `nograd ARGS` to its end. */
export const nograd = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> =>
  spawnNograd(args, env).ended

/** A folder for data that is removed when disposed. */
export function dataFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'nograd-data-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** A platform that `nograd start` runs. */
export interface StartedPlatform {
  readonly url: string
  readonly running: Running
  /** Process numbers of all that it started: the worker, PostgreSQL. */
  processes(): readonly number[]
  /** Stops it as Ctrl-C does. */
  stop(signal?: NodeJS.Signals): Promise<Outcome>
}

/** Starts a platform on a free port and waits until it says that it is ready. */
export async function startPlatform(
  dataDir: string,
  args: readonly string[] = ['--no-sample'],
  env: NodeJS.ProcessEnv = {},
): Promise<StartedPlatform> {
  const running = spawnNograd(['start', '--port', '0', '--data-dir', dataDir, ...args], env)
  await until(() => running.said().stdout.includes('nograd is ready') || running.child.exitCode !== null, START_MS)
  const url = /GraphQL +(http:\S+)\/graphql/.exec(running.said().stdout)?.[1]
  if (url === undefined) throw new Error(`nograd did not start:\n${running.said().stdout}\n${running.said().stderr}`)
  return {
    url,
    running,
    processes: () => [...workers(dataDir), ...postmaster(dataDir)],
    stop: async (signal = 'SIGTERM') => {
      if (running.child.exitCode === null && running.child.signalCode === null) {
        running.child.kill(signal)
        await once(running.child, 'exit')
      }
      return running.ended
    },
  }
}

/** Process numbers of the workers that are in the log and live. */
function workers(dataDir: string): readonly number[] {
  const log = readFileSync(join(dataDir, 'logs', 'nograd.log'), 'utf8')
  const pids = [...log.matchAll(/"workerPid":(\d+)/g)].map((match) => Number(match[1]))
  return pids.filter(lives)
}

function postmaster(dataDir: string): readonly number[] {
  try {
    return [Number.parseInt(readFileSync(join(dataDir, 'postgres/cluster/postmaster.pid'), 'utf8'), 10)].filter(lives)
  } catch {
    return []
  }
}

/** Whether a process lives. */
export function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Waits until a condition holds. @throws Error when it does not in time. */
export async function until(condition: () => boolean | Promise<boolean>, milliseconds: number): Promise<void> {
  const deadline = Date.now() + milliseconds
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`it did not happen within ${milliseconds} ms: ${condition.toString()}`)
    await sleep(50)
  }
}

/** A file of test/fixtures. */
export const fixture = (name: string): string => join(ROOT, 'test', 'fixtures', name)
