import { createHash } from 'node:crypto'

import type pg from 'pg'
import type { Logger } from 'pino'

import { connect } from './connection.ts'

/** A lock that is held. Disposing it gives it back. */
export interface HeldLock extends AsyncDisposable {
  /** Aborted when the connection that held the lock was lost: another process may take it now. */
  readonly lost: AbortSignal
}

/** Locks among all processes that share the database. A process that dies, of whatever, gives back what it held. */
export interface Locks extends AsyncDisposable {
  /** Takes a lock; null when it is held, be it by this process. */
  tryLock(name: string): Promise<HeldLock | null>
}

interface Session {
  /** One query after the other: a client of pg wants no second one before the first is answered. */
  readonly query: <Row extends pg.QueryResultRow>(sql: string, keys?: [number, number]) => Promise<pg.QueryResult<Row>>
  readonly end: () => Promise<void>
  readonly lost: AbortSignal
}

/** Locks over one connection, which is made when the first lock is wanted, and again when it was lost. */
export function createLocks(databaseUrl: string, log: Logger): Locks {
  // PostgreSQL gives a session any lock that it has already, so what this process holds is kept here.
  const held = new Set<string>()
  let session: Promise<Session> | null = null

  const open = async (): Promise<Session> => {
    const client = await connect(databaseUrl, 'nograd locks')
    const lost = new AbortController()
    client.once('end', () => {
      session = null
      held.clear()
      lost.abort(new Error('the database connection that held the lock was lost'))
    })
    // The server notices within half a minute when this machine is gone.
    await client.query('set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3')
    let last: Promise<unknown> = Promise.resolve()
    return {
      query: <Row extends pg.QueryResultRow>(sql: string, keys?: [number, number]) => {
        const answer = last.then(() => client.query<Row>(sql, keys))
        last = answer.catch(() => undefined)
        return answer
      },
      end: () => client.end(),
      lost: lost.signal,
    }
  }
  const current = (): Promise<Session> => {
    session ??= open().catch((error: unknown) => {
      session = null
      throw error
    })
    return session
  }

  return {
    async tryLock(name) {
      if (held.has(name)) return null
      held.add(name)
      const keys = keysOf(name)
      try {
        const { query, lost } = await current()
        const { rows } = await query<{ taken: boolean }>('select pg_try_advisory_lock($1, $2) as taken', keys)
        if (rows[0]?.taken !== true) {
          held.delete(name)
          return null
        }
        return {
          lost,
          [Symbol.asyncDispose]: async () => {
            if (lost.aborted) return
            try {
              await query('select pg_advisory_unlock($1, $2)', keys)
            } catch (error) {
              log.debug({ err: error }, 'a lock went with its connection')
            }
            held.delete(name)
          },
        }
      } catch (error) {
        held.delete(name)
        throw error
      }
    },
    async [Symbol.asyncDispose]() {
      const open_ = await session?.catch(() => null)
      await open_?.end().catch(() => undefined)
    },
  }
}

/** Locks by two numbers are a space of their own, apart from those by one (`lock-key.ts`, workers). */
function keysOf(name: string): [number, number] {
  const hash = createHash('sha256').update(`nograd lock\0${name}`).digest()
  return [hash.readInt32BE(0), hash.readInt32BE(4)]
}
