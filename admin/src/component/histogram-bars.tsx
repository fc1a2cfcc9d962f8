/** How values are distributed, as small as a word: counts between the smallest and the largest. */
export function HistogramBars({
  histogram: { edges, counts },
  label,
  width = 110,
  height = 26,
}: {
  readonly histogram: { readonly edges: readonly number[]; readonly counts: readonly number[] }
  readonly label: string
  readonly width?: number
  readonly height?: number
}) {
  const most = Math.max(1, ...counts)
  const step = width / counts.length
  return (
    <svg width={width} height={height} role="img" aria-label={`${label}, from ${edges[0]!} to ${edges.at(-1)!}`}>
      {counts.map((each, i) => (
        <rect
          key={i}
          x={i * step}
          y={height - (height * each) / most}
          width={Math.max(0.5, step - 0.5)}
          height={(height * each) / most}
          fill="var(--mantine-color-anchor)"
        />
      ))}
    </svg>
  )
}
