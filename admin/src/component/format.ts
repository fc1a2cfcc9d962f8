/** A metric for reading: six decimals, fewer where they are zeros. The exact value is its title. */
export function shown(value: number | null | undefined): string {
  if (value == null) return '—'
  if (value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e7)) return value.toExponential(4)
  return String(Number(value.toFixed(6)))
}

/** A count with its thousands set apart. */
export const count = (value: number | null | undefined): string => (value == null ? '—' : value.toLocaleString('en'))

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** Bytes for reading. */
export function bytes(value: number | null | undefined): string {
  if (value == null) return '—'
  let unit = 0
  let rest = value
  while (rest >= 1024 && unit < UNITS.length - 1) {
    rest /= 1024
    unit++
  }
  return `${unit === 0 ? rest : rest.toFixed(rest < 10 ? 2 : 1)} ${UNITS[unit]!}`
}

/** A duration for reading. */
export function duration(ms: number | null | undefined): string {
  if (ms == null) return '—'
  if (ms < 1000) return `${Math.round(ms)} ms`
  const seconds = ms / 1000
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** Sizes as torch writes them. */
export const shape = (sizes: readonly (number | string)[]): string => `[${sizes.join(', ')}]`
