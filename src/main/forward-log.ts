import { pino, type Logger } from 'pino'

/** What our own log writes of itself. */
const OWN_FIELDS = new Set(['level', 'time', 'msg'])

/** Writes a line of another process' log into ours: JSON of pino as it was meant, anything else (native libraries) as a warning. */
export function forwardLog(line: string, log: Logger): void {
  const entry = parse(line)
  if (entry === null) {
    if (line.trim() !== '') log.warn({ role: 'worker' }, line)
    return
  }
  const { level, msg } = entry
  const rest = Object.fromEntries(Object.entries(entry).filter(([name]) => !OWN_FIELDS.has(name)))
  const name = pino.levels.labels[level] ?? 'info'
  const write = (log as unknown as Record<string, Logger['info'] | undefined>)[name] ?? log.info.bind(log)
  write.call(log, rest, typeof msg === 'string' ? msg : '')
}

interface Entry extends Readonly<Record<string, unknown>> {
  readonly level: number
}

function parse(line: string): Entry | null {
  try {
    const entry: unknown = JSON.parse(line)
    return typeof entry === 'object' && entry !== null && 'level' in entry && typeof entry.level === 'number'
      ? (entry as Entry)
      : null
  } catch {
    return null
  }
}
