import { createHash, randomUUID } from 'node:crypto'
import { crc32 } from 'node:zlib'

import type pg from 'pg'

import { invariant } from '../../error.ts'
import type { Content, StoredContent } from './byte-store.ts'
import { chunks } from './chunks.ts'
import { CHUNK_BYTES, chunkPrefix } from './copy-format.ts'
import { startCopyIn, type CopyIn } from './copy-stream.ts'
import { groups, type Hashed } from './group.ts'
import { hashThreads } from './hash-threads.ts'
import { transaction } from './transaction.ts'

const DEADLOCK = '40P01'
const COPY = 'copy "StorageChunk" ("contentId", "index", "bytes") from stdin (format binary)'

/**
 * Stores contents, a group at a time. While what is new of a group is sent, the next groups are hashed: up to the next one that has
 * something new, so that no more than two groups are in memory.
 * @returns what was stored, in the order of `contents`.
 */
export async function putAll(
  pool: pg.Pool,
  contents: AsyncIterable<Content> | Iterable<Content>,
): Promise<readonly StoredContent[]> {
  const stored: StoredContent[] = []
  using threads = hashThreads()
  let sending: Promise<unknown> = Promise.resolve()
  try {
    for await (const group of groups(contents, threads)) {
      if (group.kind === 'stream') {
        await sending
        stored.push(...(await transaction(pool, (client) => copyAll(client, [group.content]))))
        continue
      }
      stored.push(...group.items.map(({ sha256, byteLength }) => ({ sha256, byteLength })))
      const missing = await newOnes(pool, group.items)
      if (missing.length === 0) continue
      await sending
      sending = transaction(pool, (client) => copyAll(client, missing))
      // It is awaited before the next one, or at the end.
      sending.catch(() => undefined)
    }
    await sending
    return stored
  } finally {
    await sending.catch(() => undefined)
  }
}

/** Those of a group that are not stored, each once; the others are marked as just put. */
async function newOnes(pool: pg.Pool, items: readonly Hashed[]): Promise<readonly Hashed[]> {
  const known = await touch(pool, items)
  return [...new Map(items.filter(({ sha256 }) => !known.has(sha256)).map((item) => [item.sha256, item])).values()]
}

/**
 * Marks what is there already, undamaged, as just put, which keeps it from the sweep. Rows are locked in one order: two puts do not
 * deadlock. Among imports, deletions and sweeps of everything at once a deadlock was seen all the same; the statement is a transaction of
 * its own, and is done again. A server that crashes may forget the mark, and with it the import that it was made for: the disk is not
 * waited for.
 */
async function touch(pool: pg.Pool, items: readonly Hashed[], tries = 5): Promise<ReadonlySet<string>> {
  try {
    const { rows } = await pool.query<{ sha256: string }>(
      `with relaxed as (select set_config('synchronous_commit', 'off', true)),
         found as (select sha256 from "Storage" where sha256 = any($1) and "damagedAt" is null order by sha256 for no key update)
       update "Storage" set "touchedAt" = now() from found, relaxed where "Storage".sha256 = found.sha256 returning found.sha256`,
      [[...new Set(items.map((item) => item.sha256))]],
    )
    return new Set(rows.map((row) => row.sha256))
  } catch (error) {
    if (tries > 1 && (error as pg.DatabaseError).code === DEADLOCK) return await touch(pool, items, tries - 1)
    throw error
  }
}

interface Copied extends StoredContent {
  readonly contentId: string
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
  const contentId = randomUUID()
  if (memory === null) {
    // Files are our own, and are not looked at twice; for the rest the checksum shows that it is still what was hashed.
    const copied = await copyChunks(copy, contentId, content, () => undefined)
    if (copied.byteLength !== byteLength || (crc !== null && copied.crc32 !== crc))
      throw new Error(`bytes with SHA-256 ${sha256} were others when they were read again`)
    return { contentId, sha256, ...copied }
  }
  invariant(memory.length <= CHUNK_BYTES && crc !== null, 'what is kept in memory fits one chunk, and has its checksum')
  if (byteLength > 0) {
    await copy.write(chunkPrefix(contentId, 0, byteLength))
    await copy.write(memory)
  }
  return { contentId, sha256, byteLength, crc32: crc }
}

async function copyStream(copy: CopyIn, content: Content): Promise<Copied> {
  const contentId = randomUUID()
  const hash = createHash('sha256')
  const copied = await copyChunks(copy, contentId, content, (chunk) => hash.update(chunk))
  return { contentId, sha256: hash.digest('hex'), ...copied }
}

async function copyChunks(
  copy: CopyIn,
  contentId: string,
  content: Content,
  look: (chunk: Uint8Array) => void,
): Promise<Pick<Copied, 'byteLength' | 'crc32'>> {
  let byteLength = 0
  let crc = 0
  let index = 0
  for await (const chunk of chunks(content.read())) {
    await copy.write(chunkPrefix(contentId, index++, chunk.length))
    await copy.write(chunk)
    look(chunk)
    crc = crc32(chunk, crc)
    byteLength += chunk.length
  }
  return { byteLength, crc32: crc }
}

async function file(client: pg.PoolClient, copied: readonly Copied[]): Promise<void> {
  const unique = [...new Map(copied.map((item) => [item.sha256, item])).values()]
  // In one order, as in `touch`. Whoever puts the same bytes at the same time waits here, and finds them.
  const { rows } = await client.query<{ sha256: string; contentId: string; damaged: boolean }>(
    `insert into "Storage" (sha256, "byteLength", "contentId")
     select * from unnest($1::text[], $2::bigint[], $3::uuid[]) as item (sha256, "byteLength", "contentId") order by sha256
     on conflict (sha256) do update set "touchedAt" = now()
     returning sha256, "contentId", "damagedAt" is not null as damaged`,
    [unique.map((item) => item.sha256), unique.map((item) => item.byteLength), unique.map((item) => item.contentId)],
  )
  await client.query(
    `insert into "StorageChecksum" (sha256, conversion, crc32)
     select sha256, '', crc32 from unnest($1::text[], $2::bigint[]) as item (sha256, crc32) on conflict do nothing`,
    [unique.map((item) => item.sha256), unique.map((item) => item.crc32)],
  )
  const filed = new Set(rows.map((row) => row.contentId))
  for (const row of rows.filter(({ damaged }) => damaged)) {
    const { contentId } = unique.find(({ sha256 }) => sha256 === row.sha256)!
    await replace(client, row.sha256, row.contentId, contentId)
    filed.add(contentId)
  }
  const twice = copied.map((item) => item.contentId).filter((contentId) => !filed.has(contentId))
  if (twice.length > 0) await client.query('delete from "StorageChunk" where "contentId" = any($1)', [twice])
}

/** Puts good chunks in the place of damaged ones: everything that names the storage has its bytes back. */
async function replace(client: pg.PoolClient, sha256: string, damaged: string, good: string): Promise<void> {
  await client.query('delete from "StorageChunk" where "contentId" = $1', [damaged])
  await client.query('update "Storage" set "contentId" = $2, "damagedAt" = null where sha256 = $1', [sha256, good])
}
