import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import pg from 'pg'

import { migrate, openStore } from '../../src/store/index.ts'
import { draftMigration } from '../../src/store/draft-migration.ts'
import { checkServerVersion } from '../../src/store/server-version.ts'
import { PRISMA_FOLDER, readMigrations } from '../../src/store/schema-engine.ts'
import { databaseUrl, silent, startTestDatabase, type TestDatabase } from './database.ts'

let database: TestDatabase
let client: pg.Client
beforeEach(async () => {
  database = await startTestDatabase({ migrated: false })
  client = new pg.Client({ connectionString: database.url })
  await client.connect()
})
afterEach(async () => {
  await client.end()
  await database[Symbol.asyncDispose]()
})

const applied = async () =>
  (await client.query<{ name: string }>('select migration_name as name from _prisma_migrations order by 1')).rows.map(
    (row) => row.name,
  )

/** A copy of the `prisma` folder. */
async function withPrismaFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'nograd-prisma-'))
  try {
    await cp(PRISMA_FOLDER, folder, { recursive: true })
    await body(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** A copy of the `prisma` folder with one more migration. */
async function withMigration(sql: string, body: (folder: string) => Promise<void>): Promise<void> {
  await withPrismaFolder(async (folder) => {
    await mkdir(path.join(folder, 'migrations/0002_next'))
    await writeFile(path.join(folder, 'migrations/0002_next/migration.sql'), sql)
    await body(folder)
  })
}

describe('the migrations', () => {
  test('lead exactly to prisma/schema.prisma', async () => {
    expect(await draftMigration(database.url)).toBe('')
  })

  test('are told apart from a schema that has changed', async () => {
    const shadows = async () =>
      (await client.query<{ datname: string }>("select datname from pg_database where datname like 'nograd_shadow%'"))
        .rows
    const before = await shadows()
    await withPrismaFolder(async (folder) => {
      const file = path.join(folder, 'schema.prisma')
      const schema = await readFile(file, 'utf8')
      await writeFile(file, schema.replace('model Run {', 'model Run {\n  owner String?'))
      expect(await draftMigration(database.url, folder)).toContain('ALTER TABLE "Run" ADD COLUMN     "owner" TEXT;')
    })
    // What was tried out is gone.
    for (const shadow of await shadows()) expect(before).toContainEqual(shadow)
  })

  test('say what the schema cannot', async () => {
    await migrate(database.url, silent)
    const { rows } = await client.query(
      `select attstorage from pg_attribute where attname = 'bytes' and attrelid = '"StorageChunk"'::regclass`,
    )
    // External: stored outside of the row, not compressed.
    expect(rows).toEqual([{ attstorage: 'e' }])
    const bad = `insert into "Storage" (sha256, "byteLength", "contentId") values ('ABC', 1, gen_random_uuid())`
    await expect(client.query(bad)).rejects.toThrow('Storage_sha256_check')
  })
})

describe('migrate', () => {
  test('does its work once when many do it at once, in one process', async () => {
    await Promise.all([1, 2, 3, 4, 5].map(() => migrate(database.url, silent)))
    expect(await applied()).toEqual((await readMigrations()).migrationDirectories.map((migration) => migration.path))
    await using store = await openStore({ databaseUrl: database.url, log: silent })
    expect(await store.prisma.model.count()).toBe(0)
  })

  test('does its work once when many do it at once, in many processes', async () => {
    const script = fileURLToPath(new URL('migrate-process.mjs', import.meta.url))
    const children = [1, 2, 3].map(() =>
      spawn(process.execPath, [script, database.url], { stdio: 'inherit', env: { ...process.env, NODE_OPTIONS: '' } }),
    )
    expect(await Promise.all(children.map(async (child) => ((await once(child, 'exit')) as [number])[0]))).toEqual([
      0, 0, 0,
    ])
    expect(await applied()).toEqual((await readMigrations()).migrationDirectories.map((migration) => migration.path))
  })

  test('refuses a database that is newer than the code, and changes nothing', async () => {
    await migrate(database.url, silent)
    await client.query(
      `insert into _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
       values ('x', 'x', '9999_from_the_future', now(), 1)`,
    )
    await expect(migrate(database.url, silent)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('9999_from_the_future'),
    })
  })

  test('applies a migration whole or not at all, and says what failed', async () => {
    await migrate(database.url, silent)
    await withMigration('create table made (id int); select 1 / 0;', async (folder) => {
      await expect(migrate(database.url, silent, folder)).rejects.toMatchObject({
        code: 'CONFLICT',
        message: expect.stringContaining('division by zero'),
      })
      expect((await client.query("select from pg_tables where tablename = 'made'")).rowCount).toBe(0)
      const error = (await migrate(database.url, silent, folder).catch((caught: unknown) => caught)) as Error
      expect(error.message).toMatch(/0002_next has failed.*division by zero/s)
      // The message says how to go on.
      await client.query(/update _prisma_migrations.*$/.exec(error.message)![0])
      await writeFile(
        path.join(folder, 'migrations/0002_next/migration.sql'),
        'create table made (id int); -- one; two',
      )
      await migrate(database.url, silent, folder)
      expect((await client.query("select from pg_tables where tablename = 'made'")).rowCount).toBe(1)
    })
  })

  test('goes on where a process was killed in the middle of a migration', async () => {
    await withMigration('select pg_sleep(30); create table made (id int)', async (folder) => {
      const script = fileURLToPath(new URL('migrate-process.mjs', import.meta.url))
      const child = spawn(process.execPath, [script, database.url, folder], {
        env: { ...process.env, NODE_OPTIONS: '' },
      })
      const sleeping =
        "select pid from pg_stat_activity where query like 'select pg_sleep%' and datname = current_database()"
      while ((await client.query(sleeping)).rowCount === 0) await delay(50)
      child.kill('SIGKILL')
      await once(child, 'exit')
      await writeFile(path.join(folder, 'migrations/0002_next/migration.sql'), 'create table made (id int)')
      await migrate(database.url, silent, folder)
      expect((await client.query("select from pg_tables where tablename = 'made'")).rowCount).toBe(1)
    })
  })

  test('names the server, user or database that is wrong, and never the password', async () => {
    const wrong = (change: (url: URL) => void) => {
      const url = new URL(database.url)
      url.password = 'secret'
      change(url)
      return migrate(url.href, silent)
    }
    const { password } = new URL(database.url)
    const cases: [RegExp, (url: URL) => void][] = [
      [/127\.0\.0\.1:1 .*does not answer/, (url) => (url.host = '127.0.0.1:1')],
      [/no database "nowhere"/, (url) => Object.assign(url, { pathname: '/nowhere', password })],
      [/refused user "nobody"/, (url) => (url.username = 'nobody')],
      [/no PostgreSQL URL/, (url) => (url.href = 'mysql://a:secret@b/c')],
    ]
    for (const [message, change] of cases) {
      const error = await wrong(change).catch((caught: unknown) => caught as Error)
      expect(error).toMatchObject({ code: 'BAD_INPUT', message: expect.stringMatching(message) })
      expect((error as Error).message).not.toContain('secret')
    }
  })

  test('wants PostgreSQL 14 or newer', () => {
    expect(() => checkServerVersion({ number: 130018, text: '13.18 (Debian)' })).toThrow(
      /PostgreSQL 13.18 \(Debian\); version 14/,
    )
    for (const number of [140000, 150004, 180004]) expect(() => checkServerVersion({ number, text: '' })).not.toThrow()
  })

  test('leaves the database of another program alone', async () => {
    await client.query('create table other (id int)')
    await expect(migrate(database.url, silent)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('tables of another program'),
    })
    expect((await client.query("select from pg_tables where schemaname = 'public'")).rowCount).toBe(1)
  })
})

test('a store wants a database that was migrated', async () => {
  await expect(openStore({ databaseUrl: database.url, log: silent })).rejects.toMatchObject({ code: 'CONFLICT' })
  await expect(openStore({ databaseUrl: databaseUrl(database.url, 'nowhere'), log: silent })).rejects.toMatchObject({
    code: 'BAD_INPUT',
  })
})
