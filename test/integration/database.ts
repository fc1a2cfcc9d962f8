import { createHash, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

import pg from 'pg'
import { pino, type Logger } from 'pino'

import { startEmbeddedPostgres } from '../../src/store/embedded/index.ts'
import { migrate } from '../../src/store/index.ts'
import { readMigrations } from '../../src/store/schema-engine.ts'

/** Below node_modules: ignored by git, gone with `npm ci`, kept between runs because initdb takes a second. */
const DATA_DIR = fileURLToPath(new URL('../../node_modules/.cache/nograd-test', import.meta.url))
const TEMPLATE_LOCK = 7_106_577_001
/** Databases of test runs that were killed are dropped after this time. */
const LEFTOVER_AGE_MS = 3_600_000

/** A log that says nothing. */
export const silent: Logger = pino({ level: 'silent' })

/** A database of its own, dropped when disposed. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string
}

/**
 * A fresh database: with all tables, or empty with `{ migrated: false }`. It is on the server of NOGRAD_TEST_DATABASE_URL (whose
 * user may create databases), or else on an embedded server that all tests share: the first one starts it, the last one stops it.
 */
export async function startTestDatabase({ migrated = true } = {}): Promise<TestDatabase> {
  const given = process.env['NOGRAD_TEST_DATABASE_URL']
  const server =
    given === undefined ? await startEmbeddedPostgres({ dataDir: DATA_DIR, log: silent, durable: false }) : null
  const serverUrl = server?.url ?? given!
  const name = `test_${Date.now()}_${randomBytes(4).toString('hex')}`
  await withClient(serverUrl, async (client) => {
    await dropLeftovers(client)
    await client.query(`create database ${name} template ${migrated ? await template(client, serverUrl) : 'template0'}`)
  })
  return {
    url: databaseUrl(serverUrl, name),
    [Symbol.asyncDispose]: async () => {
      await withClient(serverUrl, (client) => client.query(`drop database if exists ${name} with (force)`))
      await server?.[Symbol.asyncDispose]()
    },
  }
}

/** The URL of another database on the same server. */
export function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.href
}

/** What the tables depend on besides the migrations: the queue's, which pg-boss makes. */
const QUEUE_FILES = ['../../src/store/queue/boss.ts', '../../node_modules/pg-boss/package.json']

/** The name of a migrated database that is copied for each test: made once for each state of the migrations. */
async function template(client: pg.Client, serverUrl: string): Promise<string> {
  const migrations = JSON.stringify((await readMigrations()).migrationDirectories)
  const hash = createHash('sha256').update(migrations)
  for (const file of QUEUE_FILES) hash.update(await readFile(new URL(file, import.meta.url)))
  const name = `nograd_template_${hash.digest('hex').slice(0, 16)}`
  await client.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK])
  const { rowCount } = await client.query('select from pg_database where datname = $1', [name])
  if (rowCount === 0) {
    await client.query(`drop database if exists ${name}_draft with (force)`)
    await client.query(`create database ${name}_draft template template0`)
    await migrate(databaseUrl(serverUrl, `${name}_draft`), silent)
    await client.query(`alter database ${name}_draft rename to ${name}`)
  }
  await client.query('select pg_advisory_unlock($1)', [TEMPLATE_LOCK])
  return name
}

async function dropLeftovers(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    "select datname as name from pg_database where datname like 'test\\_%'",
  )
  for (const { name } of rows)
    if (Date.now() - Number(name.split('_')[1]) > LEFTOVER_AGE_MS)
      await client.query(`drop database if exists ${name} with (force)`)
}

async function withClient<T>(url: string, action: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await action(client)
  } finally {
    await client.end()
  }
}
