import { randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { PrismaPg } from '@prisma/adapter-pg'
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils'
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg'
import type pg from 'pg'

import { poolConfig } from './connection.ts'

/** `prisma/` of this installation. */
export const PRISMA_FOLDER = fileURLToPath(new URL('../../prisma', import.meta.url))
const NO_FILTERS: bindings.SchemaFilter = { externalTables: [], externalEnums: [] }

/** Prisma's schema engine on one database. It needs nothing from the network. */
export interface SchemaEngine extends AsyncDisposable {
  /** Applies the migrations that are missing, keeping `_prisma_migrations`, as `prisma migrate deploy` does. */
  applyMigrations(migrations: bindings.MigrationList): Promise<readonly string[]>
  /** SQL that leads from one schema to another; empty when they are equal. */
  diff(from: bindings.DiffTarget, to: bindings.DiffTarget): Promise<string>
}

/** Opens the engine on a database. Its connection is the engine's own. */
export async function openSchemaEngine(databaseUrl: string): Promise<SchemaEngine> {
  await instantiate()
  const adapters = new WholeScripts(databaseUrl)
  const factory = bindMigrationAwareSqlAdapterFactory(adapters)
  const engine = await bindings.SchemaEngine.new({ datamodels: undefined }, () => undefined, factory)
  return {
    applyMigrations: async (migrationsList) =>
      (await engine.applyMigrations({ migrationsList, filters: NO_FILTERS })).appliedMigrationNames,
    diff: async (from, to) => {
      const { stdout } = await engine.diff({ from, to, script: true, exitCode: null, filters: NO_FILTERS })
      return stdout === null || /^\s*(-- This is an empty migration\.)?\s*$/.test(stdout) ? '' : stdout
    },
    [Symbol.asyncDispose]: async () => {
      engine.free()
      await adapters.close()
    },
  }
}

type PrismaPgAdapter = Awaited<ReturnType<PrismaPg['connect']>>

/** The numbered migrations of a `prisma` folder, in order. */
export async function readMigrations(folder = PRISMA_FOLDER): Promise<bindings.MigrationList> {
  const baseDir = path.join(folder, 'migrations')
  const entries = await readdir(baseDir, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  return {
    baseDir,
    lockfile: {
      path: 'migration_lock.toml',
      content: await readFile(path.join(baseDir, 'migration_lock.toml'), 'utf8'),
    },
    shadowDbInitScript: '',
    migrationDirectories: await Promise.all(
      names.sort().map(async (name) => ({
        path: name,
        migrationFile: {
          path: 'migration.sql',
          content: { tag: 'ok' as const, value: await readFile(path.join(baseDir, name, 'migration.sql'), 'utf8') },
        },
      })),
    ),
  }
}

/** The schema file of a `prisma` folder as a side of `diff`. */
export async function readSchema(folder = PRISMA_FOLDER): Promise<bindings.DiffTarget> {
  const file = path.join(folder, 'schema.prisma')
  return { tag: 'schemaDatamodel', files: [{ path: file, content: await readFile(file, 'utf8') }] }
}

/**
 * Prisma's adapter cuts a migration at every `;` and runs the pieces on whatever connection is free. Sent whole, as Prisma's
 * native engine does it, a migration may hold functions and comments, and PostgreSQL runs it in one transaction: all or nothing.
 */
class WholeScripts extends PrismaPg {
  readonly #databaseUrl: string
  readonly #open = new Set<() => Promise<void>>()

  constructor(databaseUrl: string) {
    // pg-pool waits for the promise; its types do not say so.
    super(Object.assign(poolConfig(databaseUrl, 1), { onConnect: noticeDeath }))
    this.#databaseUrl = databaseUrl
  }

  override async connect() {
    const adapter = await super.connect()
    adapter.executeScript = async (script) => {
      await adapter.executeRaw({ sql: script, args: [], argTypes: [] })
    }
    knowChar(adapter)
    const close = adapter.dispose.bind(adapter)
    this.#open.add(close)
    adapter.dispose = async () => {
      if (this.#open.delete(close)) await close()
    }
    return adapter
  }

  /** The engine leaves its connections open. */
  async close() {
    for (const close of this.#open) await close()
    this.#open.clear()
  }

  /** A database that `diff` may fill with migrations. (The inherited method would take the real one for it: a URL wins over a name.) */
  override async connectToShadowDb() {
    const name = `nograd_shadow_${randomUUID()}`
    const real = await super.connect()
    const url = new URL(this.#databaseUrl)
    url.pathname = `/${name}`
    await real.executeScript(`create database "${name}"`)
    const shadow = await new WholeScripts(url.href).connect()
    const closeShadow = shadow.dispose.bind(shadow)
    shadow.dispose = async () => {
      await closeShadow()
      await real.executeScript(`drop database "${name}"`)
      await real.dispose()
    }
    return shadow
  }
}

/**
 * The server ends a migration within a second whose process was killed, instead of committing it later. Servers on platforms that
 * cannot do so (Windows) refuse the setting, and need a human then.
 */
async function noticeDeath(client: pg.ClientBase): Promise<void> {
  await client.query('set client_connection_check_interval = 1000').catch(() => undefined)
}

/** The OID of type "char" (of catalogs, as in pg_constraint.contype) and of type text. */
const CHAR = 18
const TEXT = 25

/** The engine reads columns of type "char" from the catalogs, a type that the adapter does not know. */
function knowChar(adapter: PrismaPgAdapter): void {
  const columns = new Set<string>()
  const pool = adapter.underlyingDriver() as unknown as { query(config: pg.QueryConfig): Promise<pg.QueryResult> }
  const query = pool.query.bind(pool)
  pool.query = async (config) => {
    const result = await query(config)
    // A script of several statements has several results, and no one looks at them.
    if (Array.isArray(result)) return result
    for (const field of result.fields.filter((found) => found.dataTypeID === CHAR)) {
      columns.add(field.name)
      field.dataTypeID = TEXT
    }
    return result
  }
  const queryRaw = adapter.queryRaw.bind(adapter)
  adapter.queryRaw = async (statement) => {
    const result = await queryRaw(statement)
    const types = result.columnNames.map((name, i) =>
      columns.has(name) ? ColumnTypeEnum.Character : result.columnTypes[i]!,
    )
    return { ...result, columnTypes: types }
  }
}

/** TypeScript files WebAssembly under the browser's library, which is not loaded. */
declare const WebAssembly: {
  instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: { exports: { __wbindgen_start(): void } } }>
}

let instance: Promise<void> | null = null

/** Node cannot import the package's wasm file by itself: what its `schema_engine.js` leaves to a bundler is done by hand. */
function instantiate(): Promise<void> {
  return (instance ??= (async () => {
    Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: { set_message: panic } })
    // The engine never clears the timer of its lock (10 s); the process must not wait for it.
    const setTimers = Object.keys(bindings).filter((name) => name.startsWith('__wbg_setTimeout_'))
    const idleTimers = Object.fromEntries(
      setTimers.map((name) => [name, (run: () => void, delay: number) => setTimeout(run, delay).unref()]),
    )
    const glue = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg')
    const bytes = await readFile(glue.replace(/\.js$/, '.wasm'))
    const { instance: engine } = await WebAssembly.instantiate(bytes, {
      './schema_engine_bg.js': { ...bindings, ...idleTimers },
    })
    const loader = bindings as unknown as { __wbg_set_wasm(exports: object): void }
    loader.__wbg_set_wasm(engine.exports)
    engine.exports.__wbindgen_start()
  })())
}

/** The engine calls this with the last words of a Rust panic; otherwise they would be lost in an "unreachable". */
function panic(message: string): never {
  throw new Error(`Prisma's schema engine: ${message}`)
}
