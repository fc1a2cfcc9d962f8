import pg from 'pg'
import type { Logger } from 'pino'

import { AppError } from '../error.ts'

/**
 * The configuration of every connection of ours.
 *
 * Sessions speak UTC and ISO dates: Prisma's adapter reads and writes moments as if they did, whatever the server's default is.
 *
 * @throws AppError BAD_INPUT when `databaseUrl` is no PostgreSQL URL.
 */
export function connectionConfig(databaseUrl: string): pg.ClientConfig {
  let url: URL
  try {
    url = new URL(databaseUrl)
  } catch {
    url = new URL('none:')
  }
  if (url.protocol !== 'postgresql:' && url.protocol !== 'postgres:')
    throw new AppError(
      'BAD_INPUT',
      'DATABASE_URL is no PostgreSQL URL. Expected postgresql://user:password@host:5432/database.',
    )
  const options = `${url.searchParams.get('options') ?? ''} -c TimeZone=UTC -c DateStyle=ISO`.trim()
  url.searchParams.delete('options')
  return { connectionString: url.href, options, application_name: 'nograd', keepAlive: true }
}

/**
 * The configuration of a pool. Idle connections stay: pg-pool forgets to clear their timers when it ends, and the process would
 * wait for those.
 */
export function poolConfig(databaseUrl: string, max: number): pg.PoolConfig {
  return { ...connectionConfig(databaseUrl), max, idleTimeoutMillis: 0 }
}

/** Opens a pool of at most `max` connections. */
export function openPool(databaseUrl: string, max: number, log: Logger): pg.Pool & AsyncDisposable {
  const pool = new pg.Pool(poolConfig(databaseUrl, max))
  let closing = false
  // The error holds the whole client: only what it says is logged.
  pool.on('error', ({ message }) => {
    if (!closing) log.warn({ reason: message }, 'an idle database connection was lost')
  })
  return Object.assign(pool, {
    [Symbol.asyncDispose]: async () => {
      closing = true
      await pool.end()
    },
  })
}

/**
 * Connects one client; `applicationName` is how pg_stat_activity shows it. An error between two queries (the server went away) is left to the next query.
 *
 * @throws AppError BAD_INPUT when nobody answers, or the user, password or database is wrong.
 */
export async function connect(databaseUrl: string, applicationName = 'nograd'): Promise<pg.Client> {
  const client = new pg.Client({ ...connectionConfig(databaseUrl), application_name: applicationName })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return client
  } catch (error) {
    throw explain(error, client)
  }
}

const INVALID_CATALOG_NAME = '3D000'
const INVALID_AUTHORIZATION = /^28/

/** Says what an operator can do about a connection that failed; other errors stay as they are. Never names the password. */
function explain(cause: unknown, { host, port, database, user }: pg.Client): unknown {
  const { code = '', message } = cause as { code?: string; message: string }
  const where = `the PostgreSQL server ${host}:${port}`
  if (code === INVALID_CATALOG_NAME)
    return new AppError(
      'BAD_INPUT',
      `${where} has no database "${database ?? ''}" (DATABASE_URL). Create it, or name another.`,
      { cause },
    )
  if (INVALID_AUTHORIZATION.test(code))
    return new AppError(
      'BAD_INPUT',
      `${where} refused user "${user ?? ''}" (DATABASE_URL): ${message}. Check user and password.`,
      { cause },
    )
  if (/^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOENT)$/.test(code))
    return new AppError(
      'BAD_INPUT',
      `${where} does not answer (DATABASE_URL): ${code}. Check host and port, and that it runs.`,
      { cause },
    )
  return cause
}
