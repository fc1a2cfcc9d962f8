import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Writable } from 'node:stream'
import { pino, type Logger, type StreamEntry } from 'pino'
import type { LogLevel } from './settings.ts'

/** A log file longer than this is put aside when the next process opens it. */
const FILE_LIMIT = 32 * 2 ** 20

/** Where a log goes. */
export interface LogOptions {
  /** `start`, `api`, `worker`: part of every line. */
  readonly role: string
  /** Terminal or container log: lines for people on a terminal, JSON elsewhere. Null for none. */
  readonly output: { readonly stream: Writable & { readonly isTTY?: boolean }; readonly level: LogLevel } | null
  /** A file that gets JSON. Null for none. */
  readonly file: { readonly path: string; readonly level: LogLevel } | null
  /** Texts that never appear in a line. */
  readonly secrets: readonly string[]
}

/** Opens a log. */
export function openLog({ role, output, file, secrets }: LogOptions): Logger {
  const streams: StreamEntry<LogLevel>[] = []
  const clean = withoutSecrets(secrets)
  if (output !== null) {
    const { stream, level } = output
    const show = stream.isTTY === true ? humanLine : (line: string) => line
    streams.push({ level, stream: { write: (line: string) => void stream.write(show(clean(line))) } })
  }
  if (file !== null) {
    const target = openFile(file.path)
    streams.push({ level: file.level, stream: { write: (line: string) => void target.write(clean(line)) } })
  }
  // Each stream has its own level; the logger lets everything through that any of them takes.
  const level = streams.map((stream) => stream.level).reduce(lower, 'fatal')
  // A line that another process wrote brings its own role.
  return pino(
    { level: level ?? 'fatal', base: null, mixin: () => ({ role }) },
    pino.multistream(streams, { dedupe: false }),
  )
}

function lower(a: LogLevel | undefined, b: LogLevel | undefined): LogLevel | undefined {
  const value = (level: LogLevel | undefined): number => pino.levels.values[level ?? 'info'] ?? 0
  return value(a) <= value(b) ? a : b
}

function openFile(path: string): { write(line: string): unknown } {
  mkdirSync(dirname(path), { recursive: true })
  if (existsSync(path) && statSync(path).size > FILE_LIMIT) renameSync(path, `${path}.1`)
  return pino.destination({ dest: path, sync: true, append: true })
}

/** A filter that hides passwords in addresses, and the given texts wherever they are. */
export function withoutSecrets(secrets: readonly string[]): (line: string) => string {
  const hidden = secrets.filter((secret) => secret.length > 0)
  return (line) =>
    hidden
      .reduce((text, secret) => text.replaceAll(secret, '***'), line)
      .replace(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@"]*:)[^\s/@"]+@/gi, '$1***@')
}

/** The password of a database address, as it is written there and as it is meant. */
export function secretsOf(databaseUrl: string | null): readonly string[] {
  if (databaseUrl === null || !URL.canParse(databaseUrl)) return []
  const { password } = new URL(databaseUrl)
  return [...new Set([password, safeDecode(password)])].filter((secret) => secret !== '')
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const FIELDS_OF_ALL = new Set(['level', 'time', 'role', 'msg', 'err', 'stack'])

/** One line of JSON as a line for people: `15:04:05 warn worker: message (key=value)`. */
export function humanLine(line: string): string {
  const entry = JSON.parse(line) as Readonly<Record<string, unknown>> & {
    readonly level: number
    readonly time: number
    readonly msg?: string
  }
  const details = Object.entries(entry)
    .filter(([name]) => !FIELDS_OF_ALL.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  const { message } = (entry['err'] ?? {}) as { readonly message?: string }
  const parts = [entry.msg ?? '', ...(message === undefined ? [] : [message])].filter((part) => part !== '')
  const time = new Date(entry.time).toTimeString().slice(0, 8)
  const level = pino.levels.labels[entry.level] ?? String(entry.level)
  return `${time} ${level} ${String(entry['role'])}: ${parts.join(': ')}${details.length > 0 ? ` (${details.join(' ')})` : ''}\n`
}
