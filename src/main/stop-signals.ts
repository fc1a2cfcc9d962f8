import { constants } from 'node:os'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** A process that is asked to stop. */
export interface StopSignals extends Disposable {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal
  /** Resolves then. */
  readonly requested: Promise<void>
}

/**
 * The first SIGINT, SIGTERM or SIGHUP asks to stop. The second one ends the process at once; what it had started notices the
 * loss of its parent and ends by itself.
 * @param onFirst called with the name of the first signal
 */
export function stopSignals(onFirst: (name: string) => void): StopSignals {
  const stop = new AbortController()
  const requested = new Promise<void>((resolve) =>
    stop.signal.addEventListener('abort', () => resolve(), { once: true }),
  )
  const handle = (name: (typeof SIGNALS)[number]): void => {
    if (stop.signal.aborted) process.exit(128 + constants.signals[name])
    stop.abort(new Stopped())
    onFirst(name)
  }
  for (const name of SIGNALS) process.on(name, handle)
  return {
    signal: stop.signal,
    requested,
    [Symbol.dispose]: () => {
      for (const name of SIGNALS) process.off(name, handle)
    },
  }
}

/** Thrown where a start is interrupted by a signal: no failure. */
export class Stopped extends Error {
  override readonly name = 'Stopped'
}
