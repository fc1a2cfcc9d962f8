/** Milliseconds that the speed is measured over. */
const WINDOW_MS = 5_000

/**
 * Samples per second over the last seconds: tells the speed for a count that was just reached.
 * @param now milliseconds from some moment on.
 */
export function speedometer(now: () => number, begin = 0): (samples: number) => number {
  const seen = [{ at: now(), samples: begin }]
  return (samples) => {
    const at = now()
    // The first one inside the window stays as its beginning.
    while (seen.length > 1 && seen[1]!.at <= at - WINDOW_MS) seen.shift()
    const first = seen[0]!
    seen.push({ at, samples })
    // A shard that was taken over counts from zero again.
    return at > first.at ? Math.max(0, ((samples - first.samples) * 1000) / (at - first.at)) : 0
  }
}
