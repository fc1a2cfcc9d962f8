import { ShardStopped } from '../store/index.ts'

/** When a worker stops, and why. */
export interface Stopper {
  /** Aborted when the shard at hand has to be given back. */
  readonly now: AbortSignal
  /** Settles when the worker is to end. */
  readonly stopped: Promise<void>
  /** Why it cannot work any more, if so. */
  failure(): Error | null
  /** Does the work of a job; a worker that is to stop lets it finish if that is soon, and takes no other. */
  during(work: () => Promise<void>): Promise<void>
  /** Ends the worker because it cannot work any more; throws what gives the job at hand back. */
  fail(error: unknown): never
}

/**
 * Tells a worker when to stop.
 * @param signal says that it is to.
 * @param finishMs what a shard at hand gets to be done.
 */
export function stopper(signal: AbortSignal, finishMs: number): Stopper {
  const now = new AbortController()
  let busy = false
  let failure: Error | null = null
  const stopped = new Promise<void>((resolve) => {
    now.signal.addEventListener('abort', () => {
      resolve()
    })
  })
  const stopping = () => signal.aborted
  const onSignal = () => {
    if (busy) setTimeout(() => now.abort(), finishMs).unref()
    else now.abort()
  }
  if (signal.aborted) onSignal()
  else signal.addEventListener('abort', onSignal, { once: true })
  return {
    now: now.signal,
    stopped,
    failure: () => failure,
    async during(work) {
      if (stopping()) {
        // Claimed in the moment of the signal: it goes back untouched.
        now.abort()
        throw new ShardStopped('WORKER_STOPS')
      }
      busy = true
      try {
        await work()
      } finally {
        busy = false
        if (stopping()) now.abort()
      }
    },
    fail(error) {
      failure = error instanceof Error ? error : new Error(String(error))
      now.abort()
      throw new ShardStopped('WORKER_STOPS')
    },
  }
}
