import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { TestPlatform } from '../usecase/test-platform.ts'

const PROGRAM = fileURLToPath(new URL('worker-process.mjs', import.meta.url))

/** A worker in a process of its own; disposing it kills it. */
export interface ChildWorker extends AsyncDisposable {
  readonly pid: number
  /** What it says on stderr so far. */
  stderr(): string
  /** Kills it as a crash or a lack of memory would, and waits for its end. */
  kill(signal?: NodeJS.Signals): Promise<{ readonly code: number | null }>
}

/** Starts a worker process and waits until it takes runs. */
export async function startChildWorker({ databaseUrl, folder }: TestPlatform): Promise<ChildWorker> {
  const child: ChildProcess = fork(PROGRAM, [databaseUrl, folder], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: [],
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  let said = ''
  child.stderr!.on('data', (piece: Buffer) => (said += piece.toString('utf8')))
  const exited = new Promise<{ code: number | null }>((resolve) =>
    child.once('exit', (code) => {
      resolve({ code })
    }),
  )
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => {
      resolve()
    })
    child.once('error', reject)
    void exited.then(({ code }) => {
      reject(new Error(`the worker process ended with code ${code}: ${said}`))
    })
  })
  const kill = (signal: NodeJS.Signals = 'SIGKILL') => {
    child.kill(signal)
    return exited
  }
  return {
    pid: child.pid!,
    stderr: () => said,
    kill,
    async [Symbol.asyncDispose]() {
      await kill()
    },
  }
}
