import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { startApi, type Api, type ApiLimits } from '../../../src/api/index.ts'
import { openStore, type Store } from '../../../src/store/index.ts'
import { DEFAULT_PLATFORM_LIMITS, type Platform, type PlatformLimits } from '../../../src/usecase/index.ts'
import { compiled } from '../../compiled.ts'
import { startTestDatabase } from '../database.ts'

/** An API on a database of its own. */
export interface TestApi extends AsyncDisposable {
  readonly api: Api
  readonly url: string
  readonly platform: Platform
  readonly store: Store
  /** Lines of the log so far. */
  readonly log: readonly LogLine[]
  /** Statements that the database got so far. */
  readonly statements: readonly string[]
}

export interface LogLine {
  readonly level: number
  readonly msg: string
  readonly errorId?: string
  readonly err?: { readonly message: string; readonly stack: string }
}

export interface TestApiOptions {
  readonly limits?: Partial<ApiLimits>
  readonly platformLimits?: Partial<PlatformLimits>
  readonly development?: boolean
  readonly allowedOrigins?: readonly string[]
}

export async function startTestApi(options: TestApiOptions = {}): Promise<TestApi> {
  const lines: LogLine[] = []
  const statements: string[] = []
  const log = pino({ level: 'warn' }, { write: (line: string) => lines.push(JSON.parse(line) as LogLine) })
  const database = await startTestDatabase()
  const spoolDir = await mkdtemp(join(tmpdir(), 'nograd-spool-'))
  const store = await openStore({ databaseUrl: database.url, log, onQuery: (sql) => statements.push(sql) })
  const platform: Platform = {
    store,
    spoolDir,
    log,
    clock: () => new Date(),
    programs: compiled(''),
    limits: { ...DEFAULT_PLATFORM_LIMITS, ...options.platformLimits },
  }
  const api = await startApi({
    platform,
    host: '127.0.0.1',
    port: 0,
    development: options.development ?? false,
    limits: options.limits,
    allowedOrigins: options.allowedOrigins,
  })
  return {
    api,
    url: api.url,
    platform,
    store,
    log: lines,
    statements,
    [Symbol.asyncDispose]: async () => {
      await api[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
      await rm(spoolDir, { recursive: true, force: true })
      await database[Symbol.asyncDispose]()
    },
  }
}
