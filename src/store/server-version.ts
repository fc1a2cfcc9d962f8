import type pg from 'pg'

import { AppError } from '../error.ts'

/** The oldest PostgreSQL that works. */
const OLDEST_MAJOR = 14

/** A server's version: 180004 and `18.4`. */
export interface ServerVersion {
  readonly number: number
  readonly text: string
}

/** The version of the server at the other end. */
export async function readServerVersion(client: pg.Client): Promise<ServerVersion> {
  const { rows } = await client.query<ServerVersion>(
    "select current_setting('server_version_num')::int as number, current_setting('server_version') as text",
  )
  return rows[0]!
}

/** @throws AppError BAD_INPUT when the server is too old. */
export function checkServerVersion({ number, text }: ServerVersion): void {
  if (Math.floor(number / 10_000) < OLDEST_MAJOR)
    throw new AppError(
      'BAD_INPUT',
      `the server of DATABASE_URL is PostgreSQL ${text}; version ${OLDEST_MAJOR} or newer is needed.`,
    )
}
