import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { openStore, type Store } from '../../src/store/index.ts'
import { databaseUrl, silent, startTestDatabase, type TestDatabase } from './database.ts'
import { createRunParents } from './run-rows.ts'

let database: TestDatabase
let store: Store
const statements: string[] = []
beforeAll(async () => {
  database = await startTestDatabase()
  store = await openStore({
    databaseUrl: database.url,
    log: silent,
    maxConnections: 3,
    onQuery: (sql) => statements.push(sql),
  })
})
afterAll(async () => {
  await store[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

describe('the client', () => {
  test('keeps a value tree of tens of megabytes', async () => {
    const { checkpointId } = await createRunParents(store.prisma)
    const nodes = Array.from({ length: 400_000 }, (_, i) => ({
      kind: 'string',
      value: `layer.${i}.weight \u0000 \ud800 ${'x'.repeat(60)}`,
    }))
    const tree = { nodes, root: 0 }
    expect(JSON.stringify(tree).length).toBeGreaterThan(30e6)
    await store.prisma.checkpoint.update({ where: { id: checkpointId }, data: { tree }, select: { id: true } })
    const row = await store.prisma.checkpoint.findUniqueOrThrow({ where: { id: checkpointId }, select: { tree: true } })
    expect(JSON.stringify(row.tree)).toBe(JSON.stringify(tree))
  })

  test('tells every statement', async () => {
    statements.length = 0
    await store.prisma.model.findMany({ include: { architecture: true } })
    expect(statements.map((sql) => /FROM "public"\."(\w+)"/.exec(sql)?.[1])).toEqual(['Model', 'Architecture'])
  })

  test('reads and writes moments as they are, whatever the time zone of the server', async () => {
    const url = new URL(database.url)
    const name = url.pathname.slice(1)
    await store.prisma.$executeRawUnsafe(`alter database "${name}" set timezone = 'Asia/Kolkata'`)
    await store.prisma.$executeRawUnsafe(`alter database "${name}" set datestyle = 'SQL, DMY'`)
    await using other = await openStore({ databaseUrl: databaseUrl(database.url, name), log: silent })
    const at = new Date('2026-03-04T05:06:07.089Z')
    const { id } = await other.prisma.upload.create({ data: { fileName: 'f', expiresAt: at } })
    const row = await other.prisma.upload.findUniqueOrThrow({ where: { id } })
    expect(row.expiresAt).toEqual(at)
    expect(Math.abs(row.createdAt.getTime() - Date.now())).toBeLessThan(60_000)
    const [raw] = await store.prisma.$queryRaw<
      { at: Date }[]
    >`select "expiresAt" as at from "Upload" where id = ${id}::uuid`
    expect(raw?.at).toEqual(at)
  })

  test('opens no more connections than it may, and works through more queries than that', async () => {
    const connections = async () => {
      const [row] = await store.prisma.$queryRaw<{ count: number }[]>`
        select count(*)::int as count from pg_stat_activity where datname = current_database() and application_name = 'nograd'`
      return row!.count
    }
    const before = await connections()
    await Promise.all(Array.from({ length: 40 }, () => store.prisma.$queryRaw`select pg_sleep(0.01)::text`))
    // Three of the client; the others are the queue's and the byte store's.
    expect(await connections()).toBeLessThanOrEqual(before + 3)
  })

  test('gives a new id to each row, in the order of their making', async () => {
    const ids: string[] = []
    for (let i = 0; i < 20; i++)
      ids.push((await store.prisma.upload.create({ data: { fileName: 'f', expiresAt: new Date() } })).id)
    expect([...ids].sort()).toEqual(ids)
    const rows = await store.prisma.upload.findMany({ where: { id: { in: ids } }, orderBy: { id: 'desc' } })
    expect(rows.map((row) => row.id)).toEqual([...ids].reverse())
  })
})
