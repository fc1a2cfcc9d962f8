import { startApi } from '../api/index.ts'
import { migrate, openStore } from '../store/index.ts'
import { watchRuns } from '../usecase/index.ts'
import { checkPort } from './check-port.ts'
import { openDatabase } from './database.ts'
import { openLog, secretsOf } from './log.ts'
import { makePlatform } from './platform.ts'
import type { Settings } from './settings.ts'
import { stopSignals } from './stop-signals.ts'
import { sweepRegularly } from './sweep-regularly.ts'
import { databaseNeeded } from './worker-role.ts'

/**
 * Serves the API until it is told to stop; workers are other processes.
 * @throws AppError
 */
export async function apiRole(settings: Settings): Promise<void> {
  if (settings.databaseUrl === null) throw databaseNeeded('api')
  const { host, port, development, allowedOrigins } = settings
  if (port !== 0) await checkPort(host, port)
  const level = settings.logLevel ?? 'info'
  const secrets = secretsOf(settings.databaseUrl)
  const log = openLog({ role: 'api', output: { stream: process.stderr, level }, file: null, secrets })
  using signals = stopSignals((name) => log.info(`${name}: letting requests end, then stopping`))

  await using database = await openDatabase(settings, log)
  await migrate(database.url, log)
  await using store = await openStore({ databaseUrl: database.url, log })
  const platform = makePlatform(settings, store, log)
  await using _sweeps = sweepRegularly(platform)
  await using _watch = watchRuns(platform)
  await using api = await startApi({ platform, host, port, development, allowedOrigins })
  log.info({ url: api.url, database: database.description }, 'the API is ready')
  await signals.requested
}
