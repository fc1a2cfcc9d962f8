// `npm run db:migration -- NAME`: writes prisma/migrations/NNNN_NAME/migration.sql, which leads from the migrations that are
// there to prisma/schema.prisma. Works offline, on an embedded PostgreSQL of its own. Read what it wrote before you commit it:
// it knows nothing of your data.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { tsImport } from 'tsx/esm/api'

const MIGRATIONS = fileURLToPath(new URL('../prisma/migrations', import.meta.url))

const name = process.argv[2] ?? ''
if (!/^[a-z][a-z0-9_]{0,60}$/.test(name)) {
  console.error('usage: npm run db:migration -- NAME    (lower-case letters, digits and _, for example add_run_owner)')
  process.exit(2)
}
// The sources, not what they compile to: after a change of the schema, most of them do not compile until they are adapted.
const { startEmbeddedPostgres } = await tsImport('../src/store/embedded/index.ts', import.meta.url)
const { draftMigration } = await tsImport('../src/store/draft-migration.ts', import.meta.url)

const dataDir = mkdtempSync(join(tmpdir(), 'nograd-migration-'))
try {
  const server = await startEmbeddedPostgres({ dataDir, log: pino({ level: 'warn' }), durable: false })
  try {
    const sql = await draftMigration(server.url)
    if (sql === '') {
      console.log('The migrations lead to prisma/schema.prisma already; nothing was written.')
    } else {
      const numbers = readdirSync(MIGRATIONS).map((folder) => Number.parseInt(folder, 10) || 0)
      const number = String(Math.max(0, ...numbers) + 1).padStart(4, '0')
      const folder = join(MIGRATIONS, `${number}_${name}`)
      mkdirSync(folder)
      writeFileSync(join(folder, 'migration.sql'), sql)
      console.log(`${sql}\nwritten to ${join(folder, 'migration.sql')}`)
    }
  } finally {
    await server[Symbol.asyncDispose]()
  }
} finally {
  rmSync(dataDir, { recursive: true, force: true })
}
