import type pg from 'pg'
import type { Logger } from 'pino'

import { AppError } from '../error.ts'
import { connect, openPool } from './connection.ts'
import { MIGRATION_LOCK } from './lock-key.ts'
import { installBoss } from './queue/index.ts'
import { checkServerVersion, readServerVersion } from './server-version.ts'
import { openSchemaEngine, PRISMA_FOLDER, readMigrations } from './schema-engine.ts'

/**
 * Brings a database to the schema of this version of the platform. Safe to call from many processes at once: the first one
 * works, the others wait and find nothing left to do. Each migration is applied whole or not at all.
 *
 * @param folder the `prisma` folder, for tests.
 * @throws AppError BAD_INPUT (no server, PostgreSQL too old), CONFLICT (the database is newer or another program's, or a
 *   migration has failed).
 */
export async function migrate(databaseUrl: string, log: Logger, folder = PRISMA_FOLDER): Promise<void> {
  const client = await connect(databaseUrl)
  try {
    checkServerVersion(await readServerVersion(client))
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    const migrations = await readMigrations(folder)
    const known = migrations.migrationDirectories.map((directory) => directory.path)
    const applied = await appliedMigrations(client)
    checkNotNewer(applied, known)
    if (!known.every((name) => applied.includes(name))) {
      await using engine = await openSchemaEngine(databaseUrl)
      for (const name of await engine.applyMigrations(migrations).catch(explain))
        log.info({ migration: name }, 'migration applied')
    }
    await installQueue(databaseUrl, log)
  } finally {
    // Closing the session gives the lock back.
    await client.end()
  }
}

/** The engine's error in terms of what can be done about it. */
function explain(cause: unknown): never {
  const message = cause instanceof Error ? cause.message : String(cause)
  if (message.includes('schema is not empty'))
    throw new AppError(
      'CONFLICT',
      'the database of DATABASE_URL holds tables of another program. Create an empty database for nograd, and name that.',
      { cause },
    )
  throw new AppError('CONFLICT', `the database could not be migrated: ${message}`, { cause })
}

/** The queue's tables are pg-boss' own, in a schema of their own. */
async function installQueue(databaseUrl: string, log: Logger): Promise<void> {
  await using pool = openPool(databaseUrl, 2, log)
  await installBoss(pool, log)
}

/**
 * Names of the migrations that are in the database. One that was interrupted (its process was killed) left nothing behind, and is
 * taken for not applied; one that has failed needs a human.
 */
async function appliedMigrations(client: pg.Client): Promise<readonly string[]> {
  const { rows: tables } = await client.query(
    "select from pg_tables where schemaname = 'public' and tablename = '_prisma_migrations'",
  )
  if (tables.length === 0) return []
  await client.query(
    `update _prisma_migrations set rolled_back_at = now()
     where finished_at is null and rolled_back_at is null and coalesce(logs, '') = ''`,
  )
  const { rows } = await client.query<{ name: string; logs: string; finished: boolean }>(
    'select migration_name as name, logs, finished_at is not null as finished from _prisma_migrations where rolled_back_at is null',
  )
  const failed = rows.find((row) => !row.finished)
  if (failed)
    throw new AppError(
      'CONFLICT',
      `migration ${failed.name} has failed in this database, and left nothing behind: ${failed.logs}\n` +
        'Remove the cause, then mark it as rolled back: ' +
        `update _prisma_migrations set rolled_back_at = now() where migration_name = '${failed.name}'`,
    )
  return rows.map((row) => row.name)
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
