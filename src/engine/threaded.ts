import { Worker } from 'node:worker_threads'
import { AppError } from '../error.ts'
import type { Device, Engine, EngineName, RunResult } from './engine.ts'
import {
  buffersOf,
  errorOf,
  movable,
  type ThreadAnswer,
  type ThreadMessage,
  type ThreadRequest,
} from './thread-protocol.ts'

/** How a thread is started and ended. */
export interface ThreadOptions {
  /** URL of the compiled `engine-thread`; by default in the folder above the module's. */
  readonly program?: URL
  /** Milliseconds that the thread gets to release its sessions before it is terminated, and then to terminate. */
  readonly graceMs?: number
}

/** An engine in a thread of its own. */
export interface ThreadedEngine extends Engine, AsyncDisposable {
  /**
   * Releases all sessions and ends the thread; what is under way fails with ENGINE_FAILED. A native call that does not return is not
   * waited for beyond a few seconds; but only the end of the process (by a signal) ends it.
   */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Starts a thread that loads an engine's module, because engines block the thread that calls them, and lets it be used as if it were
 * here. Tensors are moved, not copied.
 * @param module URL of a compiled module that exports `createEngine` (`EngineModule`).
 * @throws AppError ENGINE_FAILED when the module cannot be loaded, for example because a native library is missing.
 */
export async function threadedEngine(module: URL, options: ThreadOptions = {}): Promise<ThreadedEngine> {
  const { program = new URL('../engine-thread.js', module), graceMs = 2_000 } = options
  const thread = engineThread(module, program, graceMs)
  try {
    const { name, version } = (await thread.ask({ kind: 'describe' })) as { name: EngineName; version: string }
    return {
      name,
      version,
      devices: async () => (await thread.ask({ kind: 'devices' })) as readonly Device[],
      async load(graph, parameters, device, options) {
        const session = (await thread.ask({ kind: 'load', graph, parameters, device, options })) as number
        let released = false
        return {
          async run(inputs) {
            const moved = movable(inputs)
            return (await thread.ask({ kind: 'run', session, inputs: moved }, buffersOf(moved))) as RunResult
          },
          async [Symbol.asyncDispose]() {
            if (released || thread.ended()) return
            released = true
            await thread.ask({ kind: 'release', session })
          },
        }
      },
      [Symbol.asyncDispose]: () => thread.close(),
    }
  } catch (error) {
    await thread.close()
    if (error instanceof AppError) throw error
    throw new AppError(
      'ENGINE_FAILED',
      `the engine of ${module.pathname} cannot be loaded: ${(error as Error).message}`,
      {
        cause: error,
      },
    )
  }
}

interface EngineThread {
  ask(request: ThreadRequest, moved?: readonly ArrayBuffer[]): Promise<unknown>
  ended(): boolean
  close(): Promise<void>
}

function engineThread(module: URL, program: URL, graceMs: number): EngineThread {
  const worker = new Worker(program, { workerData: { module: module.href } })
  const waiting = new Map<number, Asked>()
  let nextId = 0
  let end: AppError | null = null
  let closing: Promise<void> | null = null

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
  worker.on('exit', (code) => fail(`the engine's thread ended with code ${code}`))

  async function close(): Promise<void> {
    fail('the engine is closed')
    worker.postMessage({ id: nextId++, request: { kind: 'close' } } satisfies ThreadMessage)
    if (await within(graceMs, exited)) return
    // Terminating interrupts JavaScript, not native code: its end may never come.
    if (await within(graceMs, worker.terminate())) return
    worker.unref()
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
