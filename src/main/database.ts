import type { Logger } from 'pino'
import { startEmbeddedPostgres } from '../store/embedded/index.ts'
import type { Settings } from './settings.ts'

/** The PostgreSQL that the platform works with. */
export interface Database extends AsyncDisposable {
  readonly url: string
  /** For people: without user and password. */
  readonly description: string
}

/** The server of DATABASE_URL, or the embedded one of the data folder, which is started or joined. */
export async function openDatabase({ databaseUrl, dataDir }: Settings, log: Logger): Promise<Database> {
  if (databaseUrl !== null) {
    return { url: databaseUrl, description: describe(databaseUrl), [Symbol.asyncDispose]: () => Promise.resolve() }
  }
  const embedded = await startEmbeddedPostgres({ dataDir, log })
  return {
    url: embedded.url,
    description: `${dataDir} (embedded PostgreSQL)`,
    [Symbol.asyncDispose]: () => embedded[Symbol.asyncDispose](),
  }
}

function describe(databaseUrl: string): string {
  if (!URL.canParse(databaseUrl)) return 'DATABASE_URL'
  const { host, pathname } = new URL(databaseUrl)
  return `${host}${pathname} (DATABASE_URL)`
}
