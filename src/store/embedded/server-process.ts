import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile, stat } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

import { AppError } from '../../error.ts'
import type { PostgresBinaries } from './binaries.ts'
import type { ClusterPaths } from './cluster.ts'
import { findPostmaster } from './postmaster.ts'
import type { Launcher } from './server-user.ts'

const POLL_MS = 10
/** The log starts afresh when it is longer than this. */
const LOG_LIMIT_BYTES = 8 * 2 ** 20

/** Bulk COPY is bound by WAL and checkpoints; the rest is sized for one machine that does other work as well. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '300',
  shared_buffers: '256MB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '4GB',
  checkpoint_timeout: '15min',
  wal_buffers: '64MB',
  wal_compression: 'off',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
}
/** For data that may be lost with the machine: tests, evaluations without a platform. */
const VOLATILE_SETTINGS = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }

/** What a start came to: a server that takes connections, or the reason why this attempt has to be repeated. */
export type StartOutcome =
  { readonly kind: 'ready'; readonly child: ChildProcess } | { readonly kind: 'again'; readonly reason: string }

/**
 * Starts a server on the cluster and waits until it is ready. It gets its own process group (Ctrl-C in a terminal must
 * not stop it before we are done with it), and logs into a file, because a pipe would break with us.
 *
 * @throws AppError CONFLICT when the port is taken, Error with the server's own words for anything else.
 */
export async function startServer(
  paths: ClusterPaths,
  binaries: PostgresBinaries,
  launcher: Launcher,
  options: { readonly durable: boolean; readonly port: number | undefined; readonly deadline: number },
): Promise<StartOutcome> {
  const port = options.port ?? (await freePort())
  const settings = { ...SETTINGS, ...(options.durable ? {} : VOLATILE_SETTINGS), port: String(port) }
  const { file, args, ids } = launcher.launch(binaries.postgres, [
    ...['-D', paths.cluster],
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ])
  const logStart = await logSize(paths.log)
  const log = await open(paths.log, logStart === 0 ? 'w' : 'a', 0o600)
  const child = spawn(file, args, {
    ...ids,
    cwd: paths.home,
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
  })
  const fate: { ended?: string } = {}
  child
    .once('error', (error) => (fate.ended = `could not be started: ${error.message}`))
    .once('exit', (code, signal) => (fate.ended = `ended with ${String(code ?? signal)}`))
  child.unref()
  await log.close()

  while (Date.now() < options.deadline) {
    if (fate.ended !== undefined) {
      const said = (await readFile(paths.log)).subarray(logStart).toString('utf8')
      if (/lock file "postmaster.pid"|pre-existing shared memory block/.test(said))
        return { kind: 'again', reason: said }
      if (said.includes('could not bind')) {
        if (options.port === undefined) return { kind: 'again', reason: said }
        throw new AppError(
          'CONFLICT',
          `port ${port} is taken by another program. Choose another port for the embedded PostgreSQL.`,
        )
      }
      throw new Error(`the embedded PostgreSQL ${fate.ended} while it started (${paths.log}):\n${said}`)
    }
    const running = await findPostmaster(paths)
    if (running?.ready === true && running.pid === child.pid) return { kind: 'ready', child }
    await delay(POLL_MS)
  }
  child.kill('SIGQUIT')
  throw new Error(`the embedded PostgreSQL was not ready in time; its log is ${paths.log}`)
}

/** Stops a server as `pg_ctl stop -m fast` does: open transactions are rolled back, connections are closed. */
export async function stopServer(paths: ClusterPaths, pid: number, child: ChildProcess | null): Promise<void> {
  const exited = child && child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null
  child?.ref()
  try {
    process.kill(pid, 'SIGINT')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
  if (exited) await exited
  else while ((await findPostmaster(paths))?.pid === pid) await delay(POLL_MS)
}

async function logSize(file: string): Promise<number> {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  )
  return size > LOG_LIMIT_BYTES ? 0 : size
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
