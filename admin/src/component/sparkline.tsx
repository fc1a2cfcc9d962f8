/** A line of values in order, as small as a word. Values that are not there leave a gap. */
export function Sparkline({
  values,
  label,
  width = 120,
  height = 28,
}: {
  readonly values: readonly (number | null)[]
  readonly label: string
  readonly width?: number
  readonly height?: number
}) {
  const there = values.filter((value) => value !== null)
  const low = Math.min(...there)
  const high = Math.max(...there)
  const x = (i: number): number => 3 + (i * (width - 6)) / Math.max(1, values.length - 1)
  const y = (value: number): number => (high === low ? height / 2 : 3 + ((height - 6) * (high - value)) / (high - low))
  const points = values.flatMap((value, i) => (value === null ? [] : [{ x: x(i), y: y(value) }]))
  const end = points.at(-1)
  return (
    <svg width={width} height={height} role="img" aria-label={label}>
      <polyline
        points={points.map((point) => `${point.x},${point.y}`).join(' ')}
        fill="none"
        stroke="var(--mantine-color-anchor)"
        strokeWidth={1.5}
      />
      {end !== undefined && <circle cx={end.x} cy={end.y} r={2.5} fill="var(--mantine-color-anchor)" />}
    </svg>
  )
}
