const LEVELS = '▁▂▃▄▅▆▇█'

/** Counts as a row of bars, joined to at most `cells`; an empty bin is a space, a bin with anything in it a bar. */
export function histogramBar(counts: readonly number[], cells = 16): string {
  const width = Math.max(1, Math.ceil(counts.length / cells))
  const joined: number[] = []
  for (let at = 0; at < counts.length; at += width)
    joined.push(counts.slice(at, at + width).reduce((sum, count) => sum + count, 0))
  const most = Math.max(...joined, 0)
  return joined
    .map((count) =>
      count === 0 ? ' ' : LEVELS[Math.min(LEVELS.length - 1, Math.floor((count / most) * LEVELS.length))],
    )
    .join('')
}
