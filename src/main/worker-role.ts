import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../error.ts'
import { migrate, openStore } from '../store/index.ts'
import { runWorker } from '../worker/index.ts'
import { openDatabase } from './database.ts'
import { openLog, secretsOf } from './log.ts'
import { openEngines } from './open-engines.ts'
import { makePlatform } from './platform.ts'
import type { Settings } from './settings.ts'
import { Stopped, stopSignals } from './stop-signals.ts'
import type { WorkerMessage } from './worker-supervisor.ts'

/** Milliseconds that a worker whose parent is gone gives itself to stop. */
const STOP_MS = 10_000
/** Milliseconds in which PostgreSQL closes the sessions of a process that died. */
const NOTICE_MS = 1_000

/**
 * Claims and evaluates runs until it is told to stop.
 * @param supervised whether `start` is our parent: it migrates, and stops us by closing the IPC channel, on purpose or by dying.
 * @throws AppError
 */
export async function workerRole(settings: Settings, supervised: boolean): Promise<void> {
  if (settings.databaseUrl === null && !supervised) throw databaseNeeded('worker')
  const level = settings.logLevel ?? 'info'
  const secrets = secretsOf(settings.databaseUrl)
  const log = openLog({ role: 'worker', output: { stream: process.stderr, level }, file: null, secrets })
  using signals = stopSignals((name) => log.info(`${name}: stopping after the batch that is under way`))
  const stop = new AbortController()
  signals.signal.addEventListener('abort', () => stop.abort(signals.signal.reason))
  if (supervised) {
    // Ctrl-C reaches all processes of a terminal: our parent decides what it means.
    process.removeAllListeners('SIGINT').on('SIGINT', () => undefined)
    const lost = (): void => {
      stop.abort(new Stopped())
      // Native code that does not return holds the process until a signal ends it.
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), STOP_MS).unref()
    }
    if (process.connected) process.once('disconnect', lost)
    else lost()
  }

  const admitted = supervised ? admission(stop.signal) : Promise.resolve()
  await using open = await openEngines(settings, log)
  await admitted
  if (stop.signal.aborted) return
  await using database = await openDatabase(settings, log)
  // Whoever leaves an embedded server as the last one stops it.
  await using _parent = { [Symbol.asyncDispose]: () => parentLeft(supervised) }
  if (!supervised) await migrate(database.url, log)
  await using store = await openStore({ databaseUrl: database.url, log })
  await runWorker({
    platform: makePlatform(settings, store, log),
    engines: open.engines,
    cacheDir: join(settings.dataDir, 'cache'),
    cacheBytes: settings.cacheBytes ?? undefined,
    threads: settings.engineThreads,
    onReady: () => {
      if (supervised) process.send?.('ready' satisfies WorkerMessage)
    },
    signal: stop.signal,
  })
}

/** Resolves when our parent says that the database is there, or that we are to stop. */
function admission(stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    process.once('message', () => resolve())
    stopped.addEventListener('abort', () => resolve())
  })
}

const PARENT = process.ppid

/** When our parent has died: waits until the database must have noticed that it is gone. */
async function parentLeft(supervised: boolean): Promise<void> {
  if (supervised && process.ppid !== PARENT) await sleep(NOTICE_MS)
}

/** A role that runs alone cannot use an embedded server, which ends with the processes of one machine. */
export function databaseNeeded(role: string): AppError {
  return new AppError(
    'BAD_INPUT',
    `\`${role}\` alone needs DATABASE_URL=postgresql://USER:PASSWORD@HOST:PORT/DATABASE. ` +
      '`npm start` runs everything on one machine, with an embedded PostgreSQL.',
  )
}
