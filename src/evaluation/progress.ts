import type { RunningView } from '../metric/index.ts'

/** How far a shard is. */
export interface Progress {
  /** Samples that are counted, and samples of the shard. */
  readonly samples: number
  readonly total: number
  /** Since the shard began. */
  readonly samplesPerSecond: number
  readonly etaSeconds: number
  /** Metrics of the samples that are counted. */
  readonly running: RunningView
}

/** Milliseconds from some moment on; `performance` is one. */
export interface Clock {
  now(): number
}

/** Milliseconds between two reports of progress at least: each costs a transaction, and an answer to every subscriber. */
const INTERVAL_MS = 200

/** Reports progress, at most five times a second. `running` is only asked for when there is a report. */
export function progressReporter(
  total: number,
  clock: Clock,
  report: (progress: Progress) => void,
): (samples: number, running: () => RunningView) => void {
  const begin = clock.now()
  let last = begin
  return (samples, running) => {
    const now = clock.now()
    if (now - last < INTERVAL_MS) return
    last = now
    const samplesPerSecond = (samples * 1000) / (now - begin)
    report({ samples, total, samplesPerSecond, etaSeconds: (total - samples) / samplesPerSecond, running: running() })
  }
}
