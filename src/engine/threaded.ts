import { AppError } from '../error.ts'
import type { Device, Engine, RunResult } from './engine.ts'
import { engineThread } from './thread-client.ts'
import { buffersOf, movable } from './thread-protocol.ts'

/** How a thread is started and ended. */
export interface ThreadOptions {
  /** URL of the compiled `engine-thread`; by default in the folder above the module's. */
  readonly program?: URL
  /** Milliseconds that disposal waits for the thread to finish what it executes and to release its sessions. */
  readonly graceMs?: number
}

/** An engine in a thread of its own. */
export interface ThreadedEngine extends Engine, AsyncDisposable {
  /**
   * Releases all sessions and ends the thread; what was asked for fails with ENGINE_FAILED. A native call cannot be interrupted: one that
   * takes longer than the grace is left to end by itself, and the thread after it.
   */
  [Symbol.asyncDispose](): Promise<void>
  /**
   * Whether the thread still runs. After disposal that is a native call that has not returned: `process.exit` would then abort the
   * process with a core dump (the native module throws when its thread is terminated under it); end it by SIGKILL instead.
   */
  alive(): boolean
}

/**
 * Starts a thread that loads an engine's module, because engines block the thread that calls them, and lets it be used as if it were
 * here. Tensors are moved, not copied.
 * @param module URL of a compiled module that exports `createEngine` (`EngineModule`).
 * @throws AppError ENGINE_FAILED when the module cannot be loaded, for example because a native library is missing.
 */
export async function threadedEngine(module: URL, options: ThreadOptions = {}): Promise<ThreadedEngine> {
  const { program = new URL('../engine-thread.js', module), graceMs = 5_000 } = options
  const thread = engineThread(module, program, graceMs)
  try {
    const described = (await thread.ask({ kind: 'describe' })) as Pick<Engine, 'name' | 'version' | 'lacks'>
    return {
      ...described,
      devices: async () => (await thread.ask({ kind: 'devices' })) as readonly Device[],
      async load(graph, parameters, device, options) {
        const session = (await thread.ask({ kind: 'load', graph, parameters, device, options })) as number
        let released = false
        return {
          lanes: 1,
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
      alive: () => thread.alive(),
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
