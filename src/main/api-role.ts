import { checkPort } from './check-port.ts'
import { openDatabase } from './database.ts'
import { openLog, secretsOf } from './log.ts'
import { openServer } from './server.ts'
import type { Settings } from './settings.ts'
import { stopSignals } from './stop-signals.ts'
import { databaseNeeded } from './worker-role.ts'

/**
 * Serves the API until it is told to stop; workers are other processes.
 * @throws AppError
 */
export async function apiRole(settings: Settings): Promise<void> {
  if (settings.databaseUrl === null) throw databaseNeeded('api')
  const { host, port } = settings
  if (port !== 0) await checkPort(host, port)
  const level = settings.logLevel ?? 'info'
  const secrets = secretsOf(settings.databaseUrl)
  const log = openLog({ role: 'api', output: { stream: process.stderr, level }, file: null, secrets })
  using signals = stopSignals((name) => log.info(`${name}: letting requests end, then stopping`))

  await using database = await openDatabase(settings, log)
  await using api = await openServer(settings, database, log)
  log.info({ url: api.url, database: database.description }, 'the API is ready')
  await signals.requested
}
