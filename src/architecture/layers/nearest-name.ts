/** The known name that is closest to a misspelt one; null when none is close. */
export function nearestName(name: string, known: readonly string[]): string | null {
  // Names that differ in case and underscores only are as good as equal.
  const plain = (text: string): string => text.toLowerCase().replaceAll('_', '')
  const distances = known.map((candidate) => distance(plain(name).slice(0, 40), plain(candidate)))
  const best = Math.min(...distances)
  return best <= Math.max(2, Math.floor(name.length / 2)) ? (known[distances.indexOf(best)] ?? null) : null
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (const [i, letter] of Array.from(a).entries()) {
    const next = [i + 1]
    for (const [j, other] of Array.from(b).entries())
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (letter === other ? 0 : 1)))
    row = next
  }
  return row.at(-1)!
}
