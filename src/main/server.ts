import type { Logger } from 'pino'
import { startApi } from '../api/index.ts'
import { migrate, openStore } from '../store/index.ts'
import { watchRuns } from '../usecase/index.ts'
import type { Database } from './database.ts'
import { makePlatform } from './platform.ts'
import type { Settings } from './settings.ts'
import { sweepRegularly } from './sweep-regularly.ts'

/** Where set-up puts the admin client (admin/vite.config.ts). */
const ADMIN = new URL('../../admin/dist/', import.meta.url)

/** The API on a database, with what has to be done from time to time. */
export interface Server extends AsyncDisposable {
  readonly url: string
}

/**
 * Brings the database to our schema and serves the API on it.
 * @param onMigrated called when the tables are there: workers may begin
 * @throws AppError
 */
export async function openServer(
  settings: Settings,
  database: Database,
  log: Logger,
  onMigrated: () => void = () => undefined,
): Promise<Server> {
  await migrate(database.url, log)
  onMigrated()
  const opened: AsyncDisposable[] = []
  const own = <T extends AsyncDisposable>(resource: T): T => {
    opened.unshift(resource)
    return resource
  }
  const close = async (): Promise<void> => {
    for (const resource of opened) await resource[Symbol.asyncDispose]()
  }
  try {
    const store = own(await openStore({ databaseUrl: database.url, log }))
    const platform = makePlatform(settings, store, log)
    own(sweepRegularly(platform))
    own(watchRuns(platform))
    const { host, port, development, allowedOrigins } = settings
    const { url } = own(await startApi({ platform, host, port, development, admin: ADMIN, allowedOrigins }))
    return { url, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}
