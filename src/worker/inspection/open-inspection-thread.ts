import { Worker } from 'node:worker_threads'
import type { TensorDistance, TensorStatistics } from '../../statistics/index.ts'
import type { RunGate } from './run-gate.ts'
import { THREAD_STATE, type TensorInFile, type ThreadAnswer, type ThreadMessage } from './thread-protocol.ts'

/** A thread that computes while no run is evaluated. Disposing it stops what it computes. */
export interface InspectionThread extends AsyncDisposable {
  statistics(tensor: TensorInFile): Promise<TensorStatistics>
  distance(base: TensorInFile, other: TensorInFile): Promise<TensorDistance>
}

/** How it is started. */
export interface InspectionThreadOptions {
  /** URL of the folder of compiled programs. */
  readonly programs: URL
  /** It pauses within a MiB while this is busy. */
  readonly gate: RunGate
  /** Stops it: what was asked fails. */
  readonly signal: AbortSignal
}

const PROGRAM = 'worker/inspection/inspection-thread.js'

/** Starts the thread. */
export function openInspectionThread({ programs, gate, signal }: InspectionThreadOptions): InspectionThread {
  const shared = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)
  const state = new Int32Array(shared)
  const worker = new Worker(new URL(PROGRAM, programs), { workerData: shared })
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  let nextId = 0
  let end: Error | null = null

  const set = (to: number): void => {
    if (Atomics.load(state, 0) === THREAD_STATE.stop) return
    Atomics.store(state, 0, to)
    Atomics.notify(state, 0)
  }
  const fail = (error: Error): void => {
    end ??= error
    for (const { reject } of waiting.values()) reject(end)
    waiting.clear()
  }
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  worker.on('message', (answer: ThreadAnswer) => {
    const asked = waiting.get(answer.id)
    waiting.delete(answer.id)
    if (answer.kind === 'value') asked?.resolve(answer.value)
    else asked?.reject(new Error(answer.message))
  })
  worker.on('error', (error: unknown) => fail(error instanceof Error ? error : new Error(String(error))))
  worker.on('exit', (code) => fail(new Error(`the thread of inspections ended with code ${code}`)))

  const remove = gate.onChange((busy) => set(busy ? THREAD_STATE.pause : THREAD_STATE.go))
  if (gate.interruption().aborted) set(THREAD_STATE.pause)
  const stop = (): void => {
    set(THREAD_STATE.stop)
    fail(new Error('the inspection was stopped'))
  }
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop)

  const ask = (request: ThreadMessage['request']): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (end !== null) {
        reject(end)
        return
      }
      const id = nextId++
      waiting.set(id, { resolve, reject })
      worker.postMessage({ id, request } satisfies ThreadMessage)
    })

  return {
    statistics: async (tensor) => (await ask({ kind: 'statistics', tensor })) as TensorStatistics,
    distance: async (base, other) => (await ask({ kind: 'distance', base, other })) as TensorDistance,
    async [Symbol.asyncDispose]() {
      remove()
      signal.removeEventListener('abort', stop)
      stop()
      await worker.terminate()
      await exited
    },
  }
}
