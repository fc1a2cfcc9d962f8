import { openSchemaEngine, PRISMA_FOLDER, readMigrations, readSchema } from './schema-engine.ts'

/**
 * The SQL that leads from the migrations of a `prisma` folder to its schema.prisma; empty when they agree. The migrations are
 * applied to a database that is made for it on the given server, and dropped.
 */
export async function draftMigration(databaseUrl: string, folder = PRISMA_FOLDER): Promise<string> {
  await using engine = await openSchemaEngine(databaseUrl)
  return await engine.diff({ tag: 'migrations', ...(await readMigrations(folder)) }, await readSchema(folder))
}
