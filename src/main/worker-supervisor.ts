import { fork, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Logger } from 'pino'
import { forwardLog } from './forward-log.ts'

/** Milliseconds before a worker that died is started again: doubled each time, up to the last. */
const FIRST_WAIT_MS = 500
const LAST_WAIT_MS = 30_000
/** A worker that lived so long counts as healthy: the next death waits for the first time again. */
const HEALTHY_MS = 60_000
/** What a worker gets to stop before it is killed. It is more than it gives itself. */
const STOP_MS = 12_000

/** How to start the worker process. */
export interface SupervisorOptions {
  /** Compiled entry point. */
  readonly program: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly log: Logger
}

/** Keeps one worker process alive until it is disposed. */
export interface WorkerSupervisor extends AsyncDisposable {
  /** When the first worker takes runs. Never, if none gets that far. */
  readonly ready: Promise<void>
  /** Lets the worker go on: the database has its tables. Until then it loads what it needs. */
  admit(): void
  /** Process number of the worker that lives, if any. */
  pid(): number | null
}

/** What is said over the IPC channel: by the worker that it takes runs, to the worker that the database is there. */
export type WorkerMessage = 'ready' | 'go'

/** Starts the worker process and starts it again whenever it dies. */
export function superviseWorker({ program, args, env, log }: SupervisorOptions): WorkerSupervisor {
  let announce: () => void = () => undefined
  const ready = new Promise<void>((resolve) => (announce = resolve))
  let child: ChildProcess | null = null
  let stopping: Promise<void> | null = null
  let admitted = false
  let waitMs = FIRST_WAIT_MS
  let timer: NodeJS.Timeout | undefined

  const launch = (): void => {
    const began = Date.now()
    const worker = fork(program, [...args], { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    child = worker
    log.info({ workerPid: worker.pid }, 'the worker process is started')
    for (const stream of [worker.stdout, worker.stderr]) if (stream !== null) follow(stream, log)
    worker.once('message', () => announce())
    if (admitted) admit(worker)
    const died = (reason: string): void => {
      if (child !== worker) return
      child = null
      if (stopping !== null) return
      if (Date.now() - began > HEALTHY_MS) waitMs = FIRST_WAIT_MS
      log.warn({ pid: worker.pid }, `the worker process ${reason}; starting another in ${waitMs / 1000} s`)
      timer = setTimeout(launch, waitMs)
      waitMs = Math.min(waitMs * 2, LAST_WAIT_MS)
    }
    worker.on('error', (error) => died(`could not be started: ${error.message}`))
    worker.on('exit', (code, signal) =>
      died(signal === null ? `ended with code ${String(code)}` : `was killed by ${signal}`),
    )
  }
  launch()
  return {
    ready,
    admit: () => {
      admitted = true
      if (child !== null) admit(child)
    },
    pid: () => child?.pid ?? null,
    [Symbol.asyncDispose]: () => {
      clearTimeout(timer)
      return (stopping ??= child === null ? Promise.resolve() : stop(child, log))
    },
  }
}

function admit(worker: ChildProcess): void {
  // A worker that has just died is noticed by its exit.
  worker.send('go' satisfies WorkerMessage, () => undefined)
}

/** Losing the channel tells a worker to stop, whether it was closed here or we died. */
async function stop(worker: ChildProcess, log: Logger): Promise<void> {
  const exited = new Promise((resolve) => worker.once('exit', resolve))
  const timer = setTimeout(() => {
    log.warn({ pid: worker.pid }, 'the worker process did not stop; it is killed')
    worker.kill('SIGKILL')
  }, STOP_MS)
  if (worker.connected) worker.disconnect()
  await exited
  clearTimeout(timer)
}

function follow(stream: Readable, log: Logger): void {
  createInterface({ input: stream }).on('line', (line) => forwardLog(line, log))
}
