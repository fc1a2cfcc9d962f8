import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { migrate } from '../../src/store/index.ts'
import { openSchemaEngine, readMigrations, readSchema } from '../../src/store/schema-engine.ts'
import { silent, startTestDatabase, type TestDatabase } from './database.ts'

describe('migrate', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await startTestDatabase({ migrated: false })
  })
  afterAll(async () => {
    await database[Symbol.asyncDispose]()
  })

  test('an empty database comes to exactly the schema of prisma/schema.prisma, however many do it at once', async () => {
    await Promise.all([1, 2, 3, 4].map(() => migrate(database.url, silent)))
    await using engine = await openSchemaEngine(database.url)
    const schema = await readSchema()
    expect(await engine.diff({ tag: 'migrations', ...(await readMigrations()) }, schema)).toBe('')
  })
})
