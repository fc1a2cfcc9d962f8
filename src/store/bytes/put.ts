import { createHash, randomUUID } from 'node:crypto'
import { crc32 } from 'node:zlib'

import type pg from 'pg'

import { invariant } from '../../error.ts'
import type { Content, StoredContent } from './byte-store.ts'
import { chunks } from './chunks.ts'
import { CHUNK_BYTES, chunkPrefix } from './copy-format.ts'
import { startCopyIn, type CopyIn } from './copy-stream.ts'
import { groups, type Group, type Hashed } from './group.ts'

const COPY = 'copy "StorageChunk" ("contentId", "index", "bytes") from stdin (format binary)'

/** Stores contents in order, a group at a time; while one is sent, the next one is hashed. */
export async function putAll(
  pool: pg.Pool,
  contents: AsyncIterable<Content> | Iterable<Content>,
): Promise<readonly StoredContent[]> {
  const stored: StoredContent[] = []
  const iterator = groups(contents)
  try {
    for (let next = iterator.next(); ;) {
      const { value: group } = await next
      if (!group) return stored
      next = iterator.next()
      // When this group fails, nobody waits for the next one.
      next.catch(() => undefined)
      stored.push(...(await putGroup(pool, group)))
    }
  } finally {
    await iterator.return(undefined).catch(() => undefined)
  }
}

async function putGroup(pool: pg.Pool, group: Group): Promise<readonly StoredContent[]> {
  if (group.kind === 'stream') return transaction(pool, (client) => copyAll(client, [group.content]))
  const known = await touch(pool, group.items)
  const missing = new Map(group.items.filter(({ sha256 }) => !known.has(sha256)).map((item) => [item.sha256, item]))
  if (missing.size > 0) await transaction(pool, (client) => copyAll(client, [...missing.values()]))
  return group.items.map(({ sha256, byteLength }) => ({ sha256, byteLength }))
}

/** Marks what is there already as just put, which keeps it from the sweep. Rows are locked in one order: two puts cannot deadlock. */
async function touch(pool: pg.Pool, items: readonly Hashed[]): Promise<ReadonlySet<string>> {
  const { rows } = await pool.query<{ sha256: string }>(
    `with found as (select sha256 from "Storage" where sha256 = any($1) order by sha256 for no key update)
     update "Storage" set "touchedAt" = now() from found where "Storage".sha256 = found.sha256 returning found.sha256`,
    [[...new Set(items.map((item) => item.sha256))]],
  )
  return new Set(rows.map((row) => row.sha256))
}

interface Copied extends StoredContent {
  readonly contentId: string
  /** Kept beside the storage: zip files state it. It costs a third of what the hash does. */
  readonly crc32: number
}

/** Copies contents in under new ids, then files those that are new by their hash and takes the others back. */
async function copyAll(
  client: pg.PoolClient,
  contents: readonly (Content | Hashed)[],
): Promise<readonly StoredContent[]> {
  const copy = await startCopyIn(client, COPY)
  const copied: Copied[] = []
  for (const content of contents)
    copied.push('sha256' in content ? await copyHashed(copy, content) : await copyStream(copy, content))
  await copy.end()
  await file(client, copied)
  return copied.map(({ sha256, byteLength }) => ({ sha256, byteLength }))
}

async function copyHashed(copy: CopyIn, { content, memory, sha256, byteLength, crc32: crc }: Hashed): Promise<Copied> {
  if (memory === null) {
    const copied = await copyStream(copy, content)
    if (copied.sha256 !== sha256) throw new Error(`bytes with SHA-256 ${sha256} were others when they were read again`)
    return copied
  }
  invariant(memory.length <= CHUNK_BYTES, 'what is kept in memory fits one chunk')
  const contentId = randomUUID()
  if (byteLength > 0) {
    await copy.write(chunkPrefix(contentId, 0, byteLength))
    await copy.write(memory)
  }
  return { contentId, sha256, byteLength, crc32: crc }
}

async function copyStream(copy: CopyIn, content: Content): Promise<Copied> {
  const contentId = randomUUID()
  const hash = createHash('sha256')
  let byteLength = 0
  let crc = 0
  let index = 0
  for await (const chunk of chunks(content.read())) {
    await copy.write(chunkPrefix(contentId, index++, chunk.length))
    await copy.write(chunk)
    hash.update(chunk)
    crc = crc32(chunk, crc)
    byteLength += chunk.length
  }
  return { contentId, sha256: hash.digest('hex'), byteLength, crc32: crc }
}

async function file(client: pg.PoolClient, copied: readonly Copied[]): Promise<void> {
  const unique = [...new Map(copied.map((item) => [item.sha256, item])).values()]
  // In one order, as in `touch`. Whoever puts the same bytes at the same time waits here, and finds them.
  const { rows } = await client.query<{ contentId: string }>(
    `insert into "Storage" (sha256, "byteLength", "contentId")
     select * from unnest($1::text[], $2::bigint[], $3::uuid[]) as item (sha256, "byteLength", "contentId") order by sha256
     on conflict (sha256) do update set "touchedAt" = now() returning "contentId"`,
    [unique.map((item) => item.sha256), unique.map((item) => item.byteLength), unique.map((item) => item.contentId)],
  )
  await client.query(
    `insert into "StorageChecksum" (sha256, conversion, crc32)
     select sha256, '', crc32 from unnest($1::text[], $2::bigint[]) as item (sha256, crc32) on conflict do nothing`,
    [unique.map((item) => item.sha256), unique.map((item) => item.crc32)],
  )
  const filed = new Set(rows.map((row) => row.contentId))
  const twice = copied.map((item) => item.contentId).filter((contentId) => !filed.has(contentId))
  if (twice.length > 0) await client.query('delete from "StorageChunk" where "contentId" = any($1)', [twice])
}

/** Runs an action in a transaction of its own. A connection on which it failed may be in the middle of a COPY: it is closed. */
async function transaction<T>(pool: pg.Pool, action: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    const result = await action(client)
    await client.query('commit')
    client.release()
    return result
  } catch (error) {
    client.release(true)
    throw error
  }
}
