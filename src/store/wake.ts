/** A flag that is set by any number of hints and waited for by any number of waiters. */
export interface Wake {
  /** Lets all go that wait. */
  set(): void
  /** How often it was set: whoever remembers the number sees whether it was set since. */
  readonly sets: number
  /** Waits for the next `set`, at most so long, and not beyond an abort. */
  wait(milliseconds: number, signal?: AbortSignal): Promise<void>
}

/** A flag that nobody has set. */
export function createWake(): Wake {
  const waiting = new Set<() => void>()
  let sets = 0
  return {
    set: () => {
      sets++
      for (const go of waiting) go()
    },
    get sets() {
      return sets
    },
    wait: (milliseconds, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) {
          resolve()
          return
        }
        const go = () => {
          clearTimeout(timer)
          signal?.removeEventListener('abort', go)
          waiting.delete(go)
          resolve()
        }
        const timer = setTimeout(go, milliseconds)
        signal?.addEventListener('abort', go)
        waiting.add(go)
      }),
  }
}
