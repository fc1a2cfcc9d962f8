import { join } from 'node:path'
import { threadedEngine, type Engine } from '../../../src/engine/index.ts'
import type { RunRow } from '../../../src/store/index.ts'
import type { Platform } from '../../../src/usecase/index.ts'
import { runWorker, type WorkerOptions } from '../../../src/worker/index.ts'
import { compiled } from '../../compiled.ts'

/** A worker in this process, with the real engine in a thread of its own. */
export interface TestWorker extends AsyncDisposable {
  readonly engine: Engine & AsyncDisposable
  /** Settles as `runWorker` does. */
  readonly ended: Promise<void>
  stop(): void
}

export async function startTestWorker(
  platform: Platform,
  folder: string,
  options: Partial<WorkerOptions> = {},
): Promise<TestWorker> {
  const engine = await threadedEngine(compiled('engine/onnxruntime/index.js'))
  const stop = new AbortController()
  let ended: Promise<void> = Promise.resolve()
  await new Promise<void>((resolve, reject) => {
    ended = runWorker({
      platform,
      engines: [engine],
      cacheDir: join(folder, 'cache'),
      threads: 1,
      onReady: resolve,
      signal: stop.signal,
      ...options,
    })
    ended.catch(reject)
  })
  return {
    engine,
    ended,
    stop() {
      stop.abort()
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await Promise.allSettled([ended])
      await engine[Symbol.asyncDispose]()
    },
  }
}

/** Waits until a run has ended. */
export async function ended({ store }: Platform, runId: string): Promise<RunRow> {
  const events = store.events.subscribe(runId)[Symbol.asyncIterator]()
  while ((await events.next()).done !== true);
  return await store.prisma.run.findUniqueOrThrow({ where: { id: runId } })
}
