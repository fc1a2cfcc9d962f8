import type { ChildProcess } from 'node:child_process'
import { mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import pg from 'pg'
import type { Logger } from 'pino'

import { AppError } from '../../error.ts'
import { EMBEDDED_USERS_LOCK } from '../lock-key.ts'
import { findBinaries } from './binaries.ts'
import { clusterPaths, EMBEDDED_NAME, ensureCluster, type ClusterPaths } from './cluster.ts'
import { findPostmaster, type Postmaster } from './postmaster.ts'
import { startServer, stopServer } from './server-process.ts'
import { chooseLauncher } from './server-user.ts'

const START_LIMIT_MS = 60_000
const RETRY_MS = 50

/** An embedded PostgreSQL server that this process uses. */
export interface EmbeddedPostgres extends AsyncDisposable {
  /** `postgresql://…` of its database. */
  readonly url: string
  /** True when another process (or an earlier one that was killed) had started it. */
  readonly reused: boolean
}

/** How to run an embedded server. */
export interface EmbeddedPostgresOptions {
  /** The cluster is made in `<dataDir>/postgres`. */
  readonly dataDir: string
  readonly log: Logger
  /** Any free port when left out. An embedded server that runs already keeps its own. */
  readonly port?: number
  /** False for data that may be lost when the machine fails: faster. */
  readonly durable?: boolean
}

/**
 * Starts the embedded PostgreSQL of a data directory, or joins the one that runs there already. It listens on 127.0.0.1 only.
 *
 * Every process that uses it holds a shared advisory lock in it. Whoever leaves as the last one stops it; a server that outlived
 * a process that was killed is joined, and stopped, by the next one.
 *
 * @throws AppError CONFLICT (another major version, port taken), BAD_INPUT (no package, no user to run as).
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { dataDir, log, port, durable = true } = options
  const paths = clusterPaths(dataDir)
  await mkdir(dataDir, { recursive: true })
  const binaries = await findBinaries()
  const launcher = await chooseLauncher([binaries.root, path.resolve(dataDir)])
  const deadline = Date.now() + START_LIMIT_MS
  let child: ChildProcess | null = null
  let reason = ''

  while (Date.now() < deadline) {
    const running = await findPostmaster(paths)
    if (running) {
      const member = running.ready ? await join(paths, running, log) : null
      if (member) {
        log.debug({ port: running.port, pid: running.pid, reused: child === null }, 'embedded PostgreSQL is ready')
        return embeddedPostgres(member, paths, running, child, log)
      }
    } else {
      await ensureCluster(paths, binaries, launcher, durable)
      const outcome = await startServer(paths, binaries, launcher, { durable, port, deadline })
      if (outcome.kind === 'ready') child = outcome.child
      else reason = outcome.reason
      if (outcome.kind === 'ready') continue
    }
    await delay(RETRY_MS)
  }
  throw new Error(`the embedded PostgreSQL in ${paths.home} could be neither started nor joined. ${reason}`.trim())
}

/** The connection that holds our lock, and what is needed to make it again. */
interface Member {
  readonly client: pg.Client
  readonly url: string
}

/** Connects and takes the shared lock; null when the server is going away. */
async function join(paths: ClusterPaths, { port }: Postmaster, log: Logger): Promise<Member | null> {
  const password = await readFile(paths.password, 'utf8').catch((cause: unknown) => {
    throw new AppError(
      'CONFLICT',
      `${paths.password} cannot be read, which is needed to join the PostgreSQL server that runs there. ` +
        'Start nograd as the user who started that server, or use another data directory.',
      { cause },
    )
  })
  const url = `postgresql://${EMBEDDED_NAME}:${encodeURIComponent(password)}@127.0.0.1:${port}/${EMBEDDED_NAME}`
  const client = await connect(url, log)
  try {
    // Waits while another process decides to stop the server, and fails when it has.
    await client?.query('select pg_advisory_lock_shared($1)', [EMBEDDED_USERS_LOCK])
    const known = await client?.query('select from pg_database where datname = $1', [EMBEDDED_NAME])
    if (known?.rowCount === 0)
      await client?.query(`create database ${EMBEDDED_NAME}`).catch((error: unknown) => {
        const { code } = error as pg.DatabaseError
        if (code !== DUPLICATE_DATABASE && code !== UNIQUE_VIOLATION) throw error
      })
  } catch (error) {
    await client?.end().catch(() => undefined)
    if (isGone(error)) return null
    throw error
  }
  if (client === null) return null
  // It must not keep the process alive by itself.
  refable(client).unref()
  return { client, url }
}

const DUPLICATE_DATABASE = '42P04'
const UNIQUE_VIOLATION = '23505'

async function connect(url: string, log: Logger): Promise<pg.Client | null> {
  const client = new pg.Client({
    connectionString: url.replace(/[^/]*$/, 'postgres'),
    application_name: 'nograd embedded',
  })
  client.on('error', (error) =>
    log.warn({ err: error }, 'the connection that marks the embedded PostgreSQL as used is lost'),
  )
  try {
    await client.connect()
  } catch (error) {
    if (isGone(error)) return null
    throw error
  }
  return client
}

/** `@types/pg` lacks these two. */
function refable(client: pg.Client): { ref(): void; unref(): void } {
  return client as unknown as { ref(): void; unref(): void }
}

/** Errors of a server that starts or stops. Class 57P: https://www.postgresql.org/docs/18/errcodes-appendix.html */
function isGone(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string }
  return (
    code === 'ECONNREFUSED' ||
    code === 'ECONNRESET' ||
    code === 'EPIPE' ||
    code?.startsWith('57P') === true ||
    /terminated/.test(message ?? '')
  )
}

function embeddedPostgres(
  member: Member,
  paths: ClusterPaths,
  { pid }: Postmaster,
  child: ChildProcess | null,
  log: Logger,
): EmbeddedPostgres {
  let disposal: Promise<void> | null = null
  return {
    url: member.url,
    reused: child === null,
    [Symbol.asyncDispose]: () => (disposal ??= leave(member, paths, pid, child, log)),
  }
}

/** Gives our lock back, and stops the server when nobody else holds it. */
async function leave(
  member: Member,
  paths: ClusterPaths,
  pid: number,
  child: ChildProcess | null,
  log: Logger,
): Promise<void> {
  const client = await withoutShare(member, log)
  if (client === null) return
  try {
    const { rows } = await client.query<{ last: boolean }>('select pg_try_advisory_lock($1) as last', [
      EMBEDDED_USERS_LOCK,
    ])
    if (rows[0]?.last === true) {
      client.removeAllListeners('error').on('error', () => undefined)
      await stopServer(paths, pid, child)
      log.debug({ pid }, 'embedded PostgreSQL stopped')
    }
  } catch (error) {
    if (!isGone(error)) throw error
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** A connection without our shared lock; a new one when the old one was lost, and the lock with it; null when the server is gone. */
async function withoutShare({ client, url }: Member, log: Logger): Promise<pg.Client | null> {
  refable(client).ref()
  try {
    await client.query('select pg_advisory_unlock_shared($1)', [EMBEDDED_USERS_LOCK])
    return client
  } catch {
    return connect(url, log)
  }
}
