import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { openStore, type Store } from '../../src/store/index.ts'
import { silent, startTestDatabase, type TestDatabase } from './database.ts'

describe('locks', () => {
  let database: TestDatabase
  let here: Store
  let there: Store
  beforeAll(async () => {
    database = await startTestDatabase()
    here = await openStore({ databaseUrl: database.url, log: silent })
    there = await openStore({ databaseUrl: database.url, log: silent })
  })
  afterAll(async () => {
    await here[Symbol.asyncDispose]()
    await there[Symbol.asyncDispose]()
    await database[Symbol.asyncDispose]()
  })

  test('are held once, here and elsewhere, until they are given back', async () => {
    const held = (await here.locks.tryLock('a'))!
    expect(await here.locks.tryLock('a')).toBeNull()
    expect(await there.locks.tryLock('a')).toBeNull()
    await using _other = await there.locks.tryLock('b')
    expect(_other).not.toBeNull()
    expect(await here.locks.tryLock('b')).toBeNull()
    await held[Symbol.asyncDispose]()
    await using again = await there.locks.tryLock('a')
    expect(again).not.toBeNull()
    expect(held.lost.aborted).toBe(false)
  })

  test('are taken once by many who want them at the same time', async () => {
    const taken = await Promise.all(
      Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? here : there).locks.tryLock('many')),
    )
    const held = taken.filter((lock) => lock !== null)
    expect(held).toHaveLength(1)
    await held[0]![Symbol.asyncDispose]()
  })

  test('are lost with the connection, and whoever held them is told', async () => {
    const held = (await here.locks.tryLock('c'))!
    const told = once(held.lost, 'abort')
    await there.prisma.$queryRaw`
      select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'nograd locks' and datname = current_database()
        and pid in (select pid from pg_locks where locktype = 'advisory' and objsubid = 2)`
    await told
    // A new connection, as often as it takes for the old one's locks to be gone.
    await using again = await here.locks.tryLock('c')
    expect(again).not.toBeNull()
    await held[Symbol.asyncDispose]()
    expect(await there.locks.tryLock('c')).toBeNull()
  })
})
