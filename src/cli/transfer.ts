import { formatBytes, formatDuration } from './number-format.ts'

/** Smaller files are sent before anybody could read that they are being sent. */
export const LARGE_FILE = 16 * 2 ** 20

/** The speed is that of the last so many milliseconds. */
const WINDOW_MS = 5_000
/** Before this, a speed is a guess. */
const MEASURE_MS = 500

/**
 * Says how far a transfer is: `512.0 MiB of 1.0 GiB, 310.2 MiB/s, 1.65 s left`. Speed and time come when they can be told.
 * @param now milliseconds of a clock that never goes back
 */
export function transferText(now: () => number = () => performance.now()): (sent: number, total: number) => string {
  let seen: { readonly at: number; readonly sent: number }[] = []
  return (sent, total) => {
    const at = now()
    // Another file, or a resumed one.
    if (sent < (seen.at(-1)?.sent ?? 0)) seen = []
    seen = [...seen.filter((mark) => at - mark.at <= WINDOW_MS), { at, sent }]
    const [first] = seen
    const elapsed = first === undefined ? 0 : at - first.at
    const far = `${formatBytes(sent)} of ${formatBytes(total)}`
    if (first === undefined || elapsed < MEASURE_MS || sent === first.sent) return far
    const perMs = (sent - first.sent) / elapsed
    const left = sent >= total ? '' : `, ${formatDuration((total - sent) / perMs)} left`
    return `${far}, ${formatBytes(perMs * 1000)}/s${left}`
  }
}
