import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import { importAndRunSample, sampleIsWanted } from '../cli/index.ts'
import { AppError } from '../error.ts'
import { checkPort } from './check-port.ts'
import { lockDataFolder } from './data-folder-lock.ts'
import { openDatabase } from './database.ts'
import { openLog, secretsOf } from './log.ts'
import { announcePlatform, findRunningPlatform } from './platform-file.ts'
import { watchPlatformUsers } from './platform-users.ts'
import { SAMPLE_FILES } from './sample-files.ts'
import type { Settings } from './settings.ts'
import { Stopped, stopSignals } from './stop-signals.ts'
import { welcome } from './welcome.ts'
import { superviseWorker } from './worker-supervisor.ts'

/** Milliseconds in which a worker should take runs; without one, runs wait. */
const WORKER_MS = 30_000

/** What `start` is asked for besides settings. */
export interface StartOptions {
  /** Started by a command for its own duration: quiet, and stops when no command uses it any more. */
  readonly temporary: boolean
  /** Told the address when everything is ready. */
  readonly onReady: (url: string) => void
}

/**
 * The whole platform on one machine, until it is told to stop: database, API in this process, a worker process that is started
 * again when it dies, and, on an empty database, the sample.
 * @throws AppError
 */
export async function start(settings: Settings, { temporary, onReady }: StartOptions): Promise<void> {
  const began = Date.now()
  const { dataDir, host, port, development } = settings
  await refuseSecond(dataDir)
  using lock = await lockDataFolder(dataDir)
  if (lock === null) throw new AppError('CONFLICT', `another process is starting or stopping nograd on ${dataDir}`)
  if (port !== 0) await checkPort(host, port)

  const say = (line: string): void => {
    if (!temporary) process.stdout.write(`${line}\n`)
  }
  const log = openStartLog(settings, temporary)
  using signals = stopSignals((name) => {
    log.info(`${name}: stopping`)
    say('\nstopping (once more to stop at once)')
  })
  const { signal } = signals
  const worker = superviseWorker({
    program: fileURLToPath(new URL('../main.js', import.meta.url)),
    args: ['worker', '--supervised'],
    env: workerEnvironment(settings),
    log,
  })
  await using _withoutDatabase = worker
  // Loaded while PostgreSQL starts and the worker process loads, which have other cores.
  const loading = loadServer()
  await using database = await openDatabase(settings, log)
  const { openServer } = await loading
  // Stopped before the database is.
  await using _withDatabase = worker
  await using api = await openServer(settings, database, log, () => worker.admit())
  await workerReady(worker.ready, log, signal)
  const startedAt = new Date().toISOString()
  await using announcement = await announcePlatform(dataDir, { pid: process.pid, url: api.url, startedAt })
  const milliseconds = Date.now() - began
  log.info({ url: api.url, file: announcement.path, database: database.description, milliseconds }, 'ready')
  onReady(api.url)
  if (temporary) watchPlatformUsers(dataDir, () => process.kill(process.pid, 'SIGTERM'))

  if (settings.sample && !temporary) await showSample(api.url, log, signal)
  const { description } = database
  say(welcome({ url: api.url, database: description, dataDir, development, milliseconds }))
  await signals.requested
}

// In a function with `using`, the compiler leaves the extension of a dynamic import as it is.
const loadServer = () => import('./server.ts')

async function refuseSecond(dataDir: string): Promise<void> {
  const running = await findRunningPlatform(dataDir)
  if (running === null) return
  throw new AppError(
    'CONFLICT',
    `nograd already runs on ${dataDir}: ${running.url} (process ${running.pid}, since ${running.startedAt}). ` +
      'Use that one, stop it, or choose another data folder and port: npm start -- --data-dir FOLDER --port 4001',
  )
}

/** People see what matters on their terminal; everything goes into the file, as JSON. */
function openStartLog({ dataDir, logLevel, databaseUrl }: Settings, temporary: boolean): Logger {
  const stream = process.stderr
  const output = { stream, level: logLevel ?? (stream.isTTY ? 'warn' : 'info') }
  return openLog({
    role: 'start',
    output: temporary ? null : output,
    file: { path: join(dataDir, 'logs', 'nograd.log'), level: logLevel ?? 'info' },
    secrets: secretsOf(databaseUrl),
  })
}

/** Our settings for the worker; the database's address stays out of its arguments, which other users can read. */
function workerEnvironment({ dataDir, logLevel, engines, engineThreads }: Settings): NodeJS.ProcessEnv {
  return {
    ...process.env,
    NOGRAD_DATA_DIR: dataDir,
    NOGRAD_LOG_LEVEL: logLevel ?? 'info',
    NOGRAD_ENGINES: engines.join(','),
    NOGRAD_ENGINE_THREADS: String(engineThreads),
  }
}

async function workerReady(ready: Promise<void>, log: Logger, signal: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), WORKER_MS)
    signal.addEventListener('abort', () => resolve(true), { once: true })
  })
  const isReady = await Promise.race([ready.then(() => true), late])
  clearTimeout(timer)
  signal.throwIfAborted()
  if (!isReady) log.warn('no worker is ready yet: runs wait for one')
}

/** The platform serves whether the sample works out or not. */
async function showSample(url: string, log: Logger, signal: AbortSignal): Promise<void> {
  try {
    if (!(await sampleIsWanted(url, signal))) return
    const run = await importAndRunSample(url, SAMPLE_FILES, process.stdout, signal)
    if (run.error !== null) log.error({ run: run.id, code: run.error.code }, `the sample failed: ${run.error.message}`)
  } catch (error) {
    if (signal.aborted) throw new Stopped()
    log.error({ err: error }, 'the sample could not be evaluated')
  }
}
