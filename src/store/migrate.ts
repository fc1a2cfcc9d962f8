import type pg from 'pg'
import type { Logger } from 'pino'

import { AppError } from '../error.ts'
import { connect, openPool } from './connection.ts'
import { MIGRATION_LOCK } from './lock-key.ts'
import { installBoss } from './queue/index.ts'
import { openSchemaEngine, readMigrations } from './schema-engine.ts'

/** The oldest PostgreSQL that works. */
const OLDEST_MAJOR = 14
const UNDEFINED_TABLE = '42P01'

/**
 * Brings a database to the schema of this version of the platform. Safe to call from many processes at once: the first one
 * works, the others wait and find nothing left to do.
 *
 * @throws AppError BAD_INPUT (no server, PostgreSQL too old), CONFLICT (the database is newer, or a migration has failed).
 */
export async function migrate(databaseUrl: string, log: Logger): Promise<void> {
  const client = await connect(databaseUrl)
  try {
    await checkServerVersion(client)
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    const migrations = await readMigrations()
    const known = migrations.migrationDirectories.map((directory) => directory.path)
    const applied = await appliedMigrations(client)
    checkNotNewer(applied, known)
    if (!known.every((name) => applied.includes(name))) {
      await using engine = await openSchemaEngine(databaseUrl)
      for (const name of await engine.applyMigrations(migrations)) log.info({ migration: name }, 'migration applied')
    }
    await installQueue(databaseUrl, log)
  } finally {
    // Closing the session gives the lock back.
    await client.end()
  }
}

/** The queue's tables are pg-boss' own, in a schema of their own. */
async function installQueue(databaseUrl: string, log: Logger): Promise<void> {
  await using pool = openPool(databaseUrl, 2, log)
  await installBoss(pool, log)
}

async function checkServerVersion(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ number: string; text: string }>(
    "select current_setting('server_version_num') as number, current_setting('server_version') as text",
  )
  const { number, text } = rows[0]!
  if (Math.floor(Number(number) / 10_000) < OLDEST_MAJOR)
    throw new AppError(
      'BAD_INPUT',
      `the server of DATABASE_URL is PostgreSQL ${text}; version ${OLDEST_MAJOR} or newer is needed.`,
    )
}

/** Names of the migrations that are in the database. */
async function appliedMigrations(client: pg.Client): Promise<readonly string[]> {
  try {
    const { rows } = await client.query<{ name: string; logs: string | null; finished: boolean }>(
      'select migration_name as name, logs, finished_at is not null as finished from _prisma_migrations where rolled_back_at is null',
    )
    const failed = rows.find((row) => !row.finished)
    if (failed)
      throw new AppError(
        'CONFLICT',
        `migration ${failed.name} has failed in this database and left nothing behind: ${failed.logs ?? 'it was interrupted'}. ` +
          'Remove the cause, then mark it as rolled back: ' +
          `update _prisma_migrations set rolled_back_at = now() where migration_name = '${failed.name}'`,
      )
    return rows.map((row) => row.name)
  } catch (error) {
    if ((error as pg.DatabaseError).code === UNDEFINED_TABLE) return []
    throw error
  }
}

function checkNotNewer(applied: readonly string[], known: readonly string[]): void {
  const unknown = applied.filter((name) => !known.includes(name))
  if (unknown.length > 0)
    throw new AppError(
      'CONFLICT',
      `the database was migrated by a newer version of nograd: it has ${unknown.join(', ')}, this version ends with ${known.at(-1) ?? 'none'}. ` +
        'Start that newer version, or use another database.',
    )
}
