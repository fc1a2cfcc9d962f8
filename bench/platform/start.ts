import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const ROOT = new URL('../..', import.meta.url).pathname

/** A platform of its own, on a fresh data folder and a free port; dispose it to stop it and remove the folder. */
export interface BenchPlatform extends AsyncDisposable {
  readonly url: string
  /** Process of the server. */
  readonly pid: number
  readonly folder: string
  /** Milliseconds from the command to ready. */
  readonly startedInMs: number
  /** Stops the processes and keeps the folder. */
  stop(): Promise<void>
}

/** Starts `npm start` as a user does (without the sample unless asked) and waits until it is ready. */
export async function startPlatform(
  options: { readonly folder?: string; readonly sample?: boolean; readonly keep?: boolean } = {},
): Promise<BenchPlatform> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'nograd-bench-')))
  const begun = performance.now()
  const child = spawn(
    'npm',
    ['start', '--', '--port', '0', '--data-dir', folder, ...(options.sample ? [] : ['--no-sample'])],
    { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let stderr = ''
  child.stderr.on('data', (text: Buffer) => (stderr = (stderr + text.toString()).slice(-10_000)))
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  let ready: { readonly url: string; readonly pid: number } | undefined
  while (!ready) {
    if (child.exitCode !== null) throw new Error(`the platform did not start:\n${stderr}`)
    try {
      const candidate = JSON.parse(await readFile(join(folder, 'platform.json'), 'utf8')) as {
        url: string
        pid: number
      }
      if ((await fetch(`${candidate.url}/readyz`)).ok) ready = candidate
    } catch {
      await sleep(10)
    }
  }
  const startedInMs = performance.now() - begun
  const { url, pid } = ready
  const stop = async () => {
    if (child.exitCode === null) process.kill(pid, 'SIGTERM')
    await exited
  }
  return {
    url,
    pid,
    folder,
    startedInMs,
    stop,
    async [Symbol.asyncDispose]() {
      await stop()
      if (!options.keep) await rm(folder, { recursive: true, force: true })
    },
  }
}
