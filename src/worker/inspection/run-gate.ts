/** Lets a worker do other things while it evaluates nothing, and tells them when that is over. */
export interface RunGate {
  /** Evaluates: everything else waits until it is done. */
  during(work: () => Promise<void>): Promise<void>
  /** Settles when nothing has been evaluated for a moment, or after an abort. */
  readonly idle: (signal: AbortSignal) => Promise<void>
  /** Aborted when the next evaluation begins; aborted already while there is one. */
  interruption(): AbortSignal
  /** Told when an evaluation begins (true), and when nothing has been evaluated for a moment (false). */
  onChange(listener: (busy: boolean) => void): () => void
}

/** Between two shards of a run there is nothing to evaluate for as long as a query takes: that is no reason to begin something else. */
const QUIET_MS = 200

/** A gate that nothing has gone through yet. */
export function runGate(quietMs = QUIET_MS): RunGate {
  const listeners = new Set<(busy: boolean) => void>()
  let busy = false
  let running = 0
  let quiet: NodeJS.Timeout | undefined
  let interruption = new AbortController()

  const change = (now: boolean): void => {
    if (busy === now) return
    busy = now
    if (busy) interruption.abort()
    else interruption = new AbortController()
    for (const listener of [...listeners]) listener(busy)
  }
  const onChange: RunGate['onChange'] = (listener) => {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }

  return {
    onChange,
    interruption: () => interruption.signal,
    async during(work) {
      running++
      clearTimeout(quiet)
      change(true)
      try {
        await work()
      } finally {
        running--
        if (running === 0) {
          quiet = setTimeout(() => change(false), quietMs)
          quiet.unref()
        }
      }
    },
    idle: (signal) =>
      new Promise((resolve) => {
        if (!busy || signal.aborted) {
          resolve()
          return
        }
        const done = (): void => {
          remove()
          signal.removeEventListener('abort', done)
          resolve()
        }
        const remove = onChange((now) => {
          if (!now) done()
        })
        signal.addEventListener('abort', done)
      }),
  }
}
