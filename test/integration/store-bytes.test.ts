import { createHash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import pg from 'pg'

import { openStore, type Content, type Store, type StoredContent } from '../../src/store/index.ts'
import { silent, startTestDatabase, type TestDatabase } from './database.ts'

const MIB = 2 ** 20
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** Bytes in pieces of a given length, all in one buffer that is used again and again. */
async function* pieces(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array, void> {
  const reused = Buffer.alloc(length)
  for (let at = 0; at < bytes.length; at += length) {
    const part = bytes.subarray(at, at + length)
    reused.set(part)
    yield reused.subarray(0, part.length)
    await Promise.resolve()
  }
}
const content = (bytes: Uint8Array, repeatable: boolean, length = 100_000): Content => ({
  read: () => pieces(bytes, length),
  repeatable,
})
async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of stream) parts.push(part)
  return Buffer.concat(parts)
}

describe('the byte store', () => {
  let database: TestDatabase
  let store: Store
  let client: pg.Client
  beforeAll(async () => {
    database = await startTestDatabase()
    store = await openStore({ databaseUrl: database.url, log: silent })
    client = new pg.Client({ connectionString: database.url })
    await client.connect()
  })
  afterAll(async () => {
    await client.end()
    await store[Symbol.asyncDispose]()
    await database[Symbol.asyncDispose]()
  })

  const count = async (table: 'Storage' | 'StorageChunk') =>
    Number((await client.query<{ count: string }>(`select count(*) from "${table}"`)).rows[0]!.count)

  test('reads ranges of many storages one after another, also the same one twice and empty ones', async () => {
    const all = [0, 10, MIB, 3 * MIB + 17, 5].map((length) => randomBytes(length))
    const stored = await store.bytes.putAll(all.map((bytes) => content(bytes, true)))
    // Mostly small storages: of a large one, a range brings its whole chunks along.
    const slices = Array.from({ length: 2500 }, (_, i) => {
      const which = i % 250 === 7 ? 2 : i % 250 === 8 ? 3 : [0, 1, 4][i % 3]!
      const bytes = all[which]!
      const offset = Math.floor((bytes.length * ((i * 7919) % 101)) / 101)
      const length = Math.min(bytes.length - offset, which === 3 ? 2 * MIB : i % 97)
      return { sha256: stored[which]!.sha256, offset, length, expected: bytes.subarray(offset, offset + length) }
    })
    const read = await collect(store.bytes.readRanges(slices))
    expect(read.equals(Buffer.concat(slices.map(({ expected }) => expected)))).toBe(true)
  })

  test('says that bytes are not there, and never takes those of a neighbour for them', async () => {
    const [a, b] = [randomBytes(100), randomBytes(100)]
    const [first, second] = await store.bytes.putAll([content(a, true), content(b, true)])
    const gone = sha256(randomBytes(100))
    const slice = (hash: string) => ({ sha256: hash, offset: 0, length: 100 })
    for (const slices of [
      [gone, first!.sha256],
      [first!.sha256, gone, second!.sha256],
      [first!.sha256, gone],
    ])
      await expect(collect(store.bytes.readRanges(slices.map(slice)))).rejects.toThrow(/damaged or gone/)
    await expect(collect(store.bytes.readRanges([{ ...slice(first!.sha256), length: 101 }]))).rejects.toThrow(/gone/)
  })

  test('keeps the CRC-32 of what it stores', async () => {
    const bytes = randomBytes(2 * MIB + 3)
    for (const [i, repeatable] of [false, true].entries()) {
      const own = Buffer.concat([bytes, Buffer.from([i])])
      const [stored] = await store.bytes.putAll([content(own, repeatable)])
      const { rows } = await client.query<{ crc32: string }>(
        `select crc32 from "StorageChecksum" where sha256 = $1 and conversion = ''`,
        [stored!.sha256],
      )
      expect(rows.map(({ crc32: crc }) => Number(crc))).toEqual([crc32(own)])
    }
  })

  test.each([0, 1, 1000, MIB - 1, MIB, MIB + 1, 3 * MIB, 5 * MIB + 12345])(
    '%d bytes come back as they went',
    async (length) => {
      const bytes = randomBytes(length)
      for (const repeatable of [false, true]) {
        const [stored] = await store.bytes.putAll([content(bytes, repeatable)])
        expect(stored).toEqual({ sha256: sha256(bytes), byteLength: length })
      }
      expect(await store.bytes.size(sha256(bytes))).toBe(length)
      const read = await collect(store.bytes.read(sha256(bytes)))
      expect(read.equals(bytes)).toBe(true)
    },
  )

  test('any contents, in any order, of any kind, come back by their hashes, and each is stored once', async () => {
    const spec = fc.record({
      seed: fc.integer({ min: 0, max: 12 }),
      repeatable: fc.boolean(),
      piece: fc.integer({ min: 2_000, max: 300_000 }),
    })
    const before = await count('Storage')
    const made = new Set<string>()
    await fc.assert(
      fc.asyncProperty(fc.array(spec, { maxLength: 12 }), async (specs) => {
        const all = specs.map(({ seed }) => Buffer.alloc(seed * 171_717, `content ${seed}`))
        const stored = await store.bytes.putAll(
          all.map((bytes, i) => content(bytes, specs[i]!.repeatable, specs[i]!.piece)),
        )
        expect(stored).toEqual(all.map((bytes) => ({ sha256: sha256(bytes), byteLength: bytes.length })))
        for (const { sha256: hash } of stored) made.add(hash)
        for (const [i, { sha256: hash }] of stored.entries())
          expect((await collect(store.bytes.read(hash))).equals(all[i]!)).toBe(true)
      }),
      { numRuns: 25 },
    )
    // The empty content may be there from the tests above.
    const { rows } = await client.query<{ sha256: string }>('select sha256 from "Storage"')
    for (const hash of made) expect(rows.filter((row) => row.sha256 === hash)).toHaveLength(1)
    expect(await count('Storage')).toBeLessThanOrEqual(before + made.size)
    // No chunk is without its storage, and all are as long as they should be.
    const wrong = await client.query(`
      select sha256 from "Storage" left join "StorageChunk" using ("contentId") group by sha256, "byteLength"
      having coalesce(sum(octet_length(bytes)), 0) <> "byteLength" or count("index") <> ceil("byteLength" / 1048576.0)`)
    expect(wrong.rows).toEqual([])
  })

  test('any range comes back', async () => {
    const bytes = randomBytes(3 * MIB + 777)
    const { sha256: hash } = await store.bytes.put(pieces(bytes, 70_001))
    const at = fc.integer({ min: 0, max: bytes.length })
    await fc.assert(
      fc.asyncProperty(at, at, async (a, b) => {
        const [offset, end] = [Math.min(a, b), Math.max(a, b)]
        const read = await collect(store.bytes.read(hash, { offset, length: end - offset }))
        expect(read.equals(bytes.subarray(offset, end))).toBe(true)
      }),
      {
        numRuns: 40,
        examples: [
          [0, MIB],
          [MIB, 2 * MIB],
          [MIB - 1, MIB + 1],
          [bytes.length, bytes.length],
        ],
      },
    )
    for (const range of [
      { offset: 0, length: bytes.length + 1 },
      { offset: -1, length: 2 },
      { offset: 0.5, length: 1 },
    ])
      await expect(collect(store.bytes.read(hash, range))).rejects.toMatchObject({ code: 'BAD_INPUT' })
  })

  test('what is not there is NOT_FOUND', async () => {
    const hash = sha256(Buffer.from('nobody'))
    await expect(store.bytes.size(hash)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(collect(store.bytes.read(hash))).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('the same bytes put many times at once are stored once', async () => {
    const bytes = randomBytes(2 * MIB + 5)
    const others = randomBytes(100)
    const results = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        // In both orders: they must not wait for each other in a circle.
        store.bytes.putAll([
          content(i % 2 ? bytes : others, i % 3 === 0),
          content(i % 2 ? others : bytes, i % 3 === 0),
        ]),
      ),
    )
    for (const stored of results)
      expect(stored.map((item) => item.sha256).sort()).toEqual([sha256(bytes), sha256(others)].sort())
    const { rows } = await client.query(
      'select from "Storage" join "StorageChunk" using ("contentId") where sha256 = $1',
      [sha256(bytes)],
    )
    expect(rows).toHaveLength(3)
  })

  test('a source that fails leaves nothing, and its connection is replaced', async () => {
    const [storages, kept] = [await count('Storage'), await count('StorageChunk')]
    async function* broken() {
      yield* pieces(randomBytes(2 * MIB), 50_000)
      throw new Error('the disk is gone')
    }
    for (let i = 0; i < 20; i++) {
      await expect(store.bytes.put(broken())).rejects.toThrow('the disk is gone')
      await expect(store.bytes.putAll([{ read: broken, repeatable: true }])).rejects.toThrow('the disk is gone')
    }
    expect([await count('Storage'), await count('StorageChunk')]).toEqual([storages, kept])
  })

  test('a source that is other bytes the second time is refused', async () => {
    let reads = 0
    const liar: Content = { read: () => pieces(Buffer.alloc(2 * MIB, reads++), 1000), repeatable: true }
    const before = await count('StorageChunk')
    await expect(store.bytes.putAll([liar])).rejects.toThrow('were others when they were read again')
    expect(await count('StorageChunk')).toBe(before)
  })

  test('a reader that stops early frees its connection', async () => {
    const { sha256: hash } = await store.bytes.put(pieces(randomBytes(8 * MIB), 500_000))
    for (let i = 0; i < 30; i++)
      for await (const piece of store.bytes.read(hash)) {
        expect(piece.length).toBe(MIB)
        break
      }
    expect((await collect(store.bytes.read(hash))).length).toBe(8 * MIB)
  })

  test('an aborted read ends with the reason', async () => {
    const { sha256: hash } = await store.bytes.put(pieces(randomBytes(4 * MIB), 500_000))
    const abort = new AbortController()
    const read = async () => {
      for await (const piece of store.bytes.read(hash, undefined, { signal: abort.signal })) {
        expect(piece.length).toBe(MIB)
        abort.abort(new Error('enough'))
      }
    }
    await expect(read()).rejects.toThrow('enough')
  })

  test('damaged bytes are noticed', async () => {
    const put = async () => (await store.bytes.put(pieces(randomBytes(2 * MIB), 500_000))).sha256
    const chunkOf = (hash: string) =>
      `"contentId" = (select "contentId" from "Storage" where sha256 = '${hash}') and "index" = 1`
    const flipped = await put()
    await client.query(
      `update "StorageChunk" set bytes = set_byte(bytes, 77, (get_byte(bytes, 77) + 1) % 256) where ${chunkOf(flipped)}`,
    )
    await expect(collect(store.bytes.read(flipped))).rejects.toMatchObject({
      code: 'STORAGE_DAMAGED',
      message: expect.stringContaining('its bytes have another hash'),
    })
    const cut = await put()
    await client.query(`delete from "StorageChunk" where ${chunkOf(cut)}`)
    await expect(collect(store.bytes.read(cut))).rejects.toMatchObject({
      code: 'STORAGE_DAMAGED',
      message: expect.stringContaining(`${MIB} of ${2 * MIB} bytes`),
    })
    const range = { offset: MIB, length: 10 }
    await expect(collect(store.bytes.read(cut, range))).rejects.toMatchObject({ code: 'STORAGE_DAMAGED' })
  })

  test('damage that was verified is repaired by putting the bytes again, and only then', async () => {
    const good = randomBytes(2 * MIB + 99)
    const hash = sha256(good)
    const put = (repeatable: boolean) => store.bytes.putAll([content(good, repeatable)])
    const chunk = (index: number) =>
      `"contentId" = (select "contentId" from "Storage" where sha256 = '${hash}') and "index" = ${index}`
    for (const repeatable of [true, false]) {
      await put(repeatable)
      expect(await store.bytes.verify(hash)).toEqual({ status: 'OK', byteLength: good.length, problem: null })
      await client.query(
        `update "StorageChunk" set bytes = set_byte(bytes, 5, (get_byte(bytes, 5) + 1) % 256) where ${chunk(1)}`,
      )
      expect(await store.bytes.verify(hash)).toMatchObject({ status: 'DAMAGED' })
      await client.query(`delete from "StorageChunk" where ${chunk(1)}`)
      expect(await store.bytes.verify(hash)).toEqual({
        status: 'MISSING',
        byteLength: good.length,
        problem: `chunk 1 of 3 (bytes ${MIB} to ${2 * MIB}) is missing`,
      })
      await put(repeatable)
      expect((await collect(store.bytes.read(hash))).equals(good)).toBe(true)
      expect(await store.bytes.verify(hash)).toMatchObject({ status: 'OK' })
    }
    const { rows } = await client.query(
      `select from "StorageChunk" chunk where not exists (select from "Storage" where "contentId" = chunk."contentId")`,
    )
    expect(rows).toEqual([])
    await expect(store.bytes.verify('00'.repeat(32))).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('nothing is swept while somebody keeps the sweep away', async () => {
    const { sha256: hash } = await store.bytes.put(pieces(Buffer.from('kept for a moment'), 5))
    await store.bytes.withoutSweep(async () => {
      expect(await store.bytes.sweep({ graceMs: 0 })).toMatchObject({ storages: 0, finished: false })
      expect(await store.bytes.size(hash)).toBeGreaterThan(0)
    })
    expect((await store.bytes.sweep({ graceMs: 0 })).storages).toBeGreaterThan(0)
    await expect(store.bytes.size(hash)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(store.bytes.withoutSweep(() => Promise.reject(new Error('failed')))).rejects.toThrow('failed')
    expect(await store.bytes.sweep({ graceMs: 0 })).toMatchObject({ finished: true })
  })

  test('the sweep removes what nothing names and nobody put lately, and nothing else', async () => {
    await store.bytes.sweep({ graceMs: 0 })
    const { prisma, bytes } = store
    const [named, fresh, old, touched] = (await bytes.putAll(
      ['named', 'fresh', 'old', 'touched'].map((text) => content(Buffer.from(text), true)),
    )) as unknown as readonly [StoredContent, StoredContent, StoredContent, StoredContent]
    await prisma.dataset.create({
      data: {
        ...{ name: 'd', version: 1, format: 'npy', fileName: 'd.npy', fileSha256: named.sha256, fileBytes: 5, rows: 5 },
        columns: {
          create: { index: 0, name: 'x', role: 'FEATURE', dtype: 'uint8', storageHash: named.sha256, integral: true },
        },
      },
    })
    await client.query(`update "Storage" set "touchedAt" = now() - interval '2 days' where sha256 = any($1)`, [
      [named.sha256, old.sha256, touched.sha256],
    ])
    await bytes.putAll([content(Buffer.from('touched'), true)])
    expect(await bytes.sweep()).toEqual({ storages: 1, bytes: 3, finished: true })
    for (const { sha256: hash } of [named, fresh, touched]) expect(await bytes.size(hash)).toBeGreaterThan(0)
    await expect(bytes.size(old.sha256)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    // Putting it once more brings it back.
    await bytes.putAll([content(Buffer.from('old'), true)])
    expect((await collect(bytes.read(old.sha256))).toString()).toBe('old')
  })

  test('a sweep that runs all the time takes nothing from puts that have just begun', async () => {
    const bytes = Array.from({ length: 30 }, (_, i) => Buffer.alloc(50_000, `swept ${i}`))
    let sweeping = true
    const sweeper = (async () => {
      while (sweeping) await store.bytes.sweep({ graceMs: 2_000 })
    })()
    for (let round = 0; round < 4; round++) {
      const stored = await store.bytes.putAll(bytes.map((item) => content(item, round % 2 === 0)))
      for (const { sha256: hash } of stored) expect(await store.bytes.size(hash)).toBe(50_000)
      await client.query(`update "Storage" set "touchedAt" = now() - interval '1 day'`)
    }
    sweeping = false
    await sweeper
  })

  test('ten thousand small contents take a few statements', async () => {
    const started = performance.now()
    const stored = await store.bytes.putAll(
      Array.from({ length: 10_000 }, (_, i) => content(Buffer.from(`small ${i % 9_000}`), true)),
    )
    expect(new Set(stored.map((item) => item.sha256)).size).toBe(9_000)
    expect(performance.now() - started).toBeLessThan(30_000)
  })

  test('memory does not grow with the size of what passes through', async () => {
    const piece = randomBytes(MIB)
    async function* many() {
      for (let i = 0; i < 300; i++) {
        piece.writeInt32LE(i)
        yield piece
        await Promise.resolve()
      }
    }
    const before = process.memoryUsage().rss
    let peak = 0
    const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 20)
    const { sha256: hash } = await store.bytes.put(many())
    let read = 0
    for await (const part of store.bytes.read(hash)) {
      read += part.length
      // A reader that is slow now and then: the server has to wait.
      if (read % (50 * MIB) === 0) await new Promise((resolve) => setTimeout(resolve, 100))
    }
    clearInterval(timer)
    expect(read).toBe(300 * MIB)
    expect(peak - before).toBeLessThan(150 * MIB)
  })
})
