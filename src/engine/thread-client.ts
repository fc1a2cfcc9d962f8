import { Worker } from 'node:worker_threads'
import { AppError } from '../error.ts'
import {
  errorOf,
  type ThreadAnswer,
  type ThreadData,
  type ThreadMessage,
  type ThreadRequest,
} from './thread-protocol.ts'

/** The thread of an engine, seen from outside. */
export interface EngineThread {
  /** Answers come in the order of the requests. `moved` buffers are gone from here. */
  ask(request: ThreadRequest, moved?: readonly ArrayBuffer[]): Promise<unknown>
  /** Whether requests fail. */
  ended(): boolean
  alive(): boolean
  close(): Promise<void>
}

/** Starts a thread with an engine's module. See `threadedEngine`. */
export function engineThread(module: URL, program: URL, graceMs: number): EngineThread {
  const closed = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(program, { workerData: { module: module.href, closed } satisfies ThreadData })
  const waiting = new Map<number, Asked>()
  let nextId = 0
  let end: AppError | null = null
  let closing: Promise<void> | null = null
  let alive = true

  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  const fail = (message: string, cause?: unknown) => {
    end ??= new AppError('ENGINE_FAILED', message, { cause })
    for (const { reject } of waiting.values()) reject(end)
    waiting.clear()
  }
  worker.on('message', (answer: ThreadAnswer) => {
    const asked = waiting.get(answer.id)
    waiting.delete(answer.id)
    if (answer.kind === 'value') asked?.resolve(answer.value)
    else asked?.reject(errorOf(answer))
  })
  worker.on('error', (error: unknown) => fail(`the engine's thread failed: ${messageOf(error)}`, error))
  worker.on('exit', (code) => {
    alive = false
    fail(`the engine's thread ended with code ${code}`)
  })

  async function close(): Promise<void> {
    fail('the engine is closed')
    // Runs that wait in the thread are skipped.
    Atomics.store(closed, 0, 1)
    worker.postMessage({ id: nextId++, request: { kind: 'close' } } satisfies ThreadMessage)
    // Worker.terminate() is no help: it cannot interrupt native code either, and aborts the process when that returns.
    if (!(await within(graceMs, exited))) worker.unref()
  }

  return {
    ask: (request, moved = []) =>
      new Promise((resolve, reject) => {
        if (end !== null) {
          reject(end)
          return
        }
        const id = nextId++
        waiting.set(id, { resolve, reject })
        try {
          worker.postMessage({ id, request } satisfies ThreadMessage, moved)
        } catch (error) {
          waiting.delete(id)
          reject(error instanceof Error ? error : new Error(String(error)))
        }
      }),
    ended: () => end !== null,
    alive: () => alive,
    close: () => (closing ??= close()),
  }
}

/** What a thread throws arrives as an object that is like an Error. */
const messageOf = (thrown: unknown): string =>
  typeof thrown === 'object' && thrown !== null && 'message' in thrown ? String(thrown.message) : String(thrown)

/** A request that has no answer yet. */
interface Asked {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** Whether a promise settles within a time. */
async function within(milliseconds: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), milliseconds)))
  try {
    return await Promise.race([promise.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
