import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'

import type { Content, StoredContent } from './byte-store.ts'
import { CHUNK_BYTES } from './copy-format.ts'
import { HASH_THREADS, type HashThreads } from './hash-threads.ts'

/** A group is stored in one transaction, and hashed while one before it is sent. */
const GROUP_BYTES = 64 * 2 ** 20
const GROUP_CONTENTS = 4096
/** Contents up to this size stay in memory between hashing and sending … */
const KEPT_BYTES = CHUNK_BYTES
/** … as long as those of a group are not more than this together. */
const KEPT_GROUP_BYTES = 32 * 2 ** 20

/** A content whose hash is known. */
export interface Hashed extends StoredContent {
  readonly content: Content
  /** Kept beside the storage, because zip files state it. Null for what threads have hashed: it is computed when the bytes are sent, if they are. */
  readonly crc32: number | null
  /** All of its bytes, where they are few. */
  readonly memory: Uint8Array | null
}

/** What is stored together: one content that can be read only once, or some whose hashes are known. */
export type Group =
  | { readonly kind: 'stream'; readonly content: Content }
  | { readonly kind: 'hashed'; readonly items: readonly Hashed[] }

/** Cuts contents into groups, in order. Large ones that lie in files are hashed by threads, some ahead of their turn. */
export async function* groups(
  contents: AsyncIterable<Content> | Iterable<Content>,
  threads: HashThreads,
): AsyncGenerator<Group, undefined> {
  /** Hashed, or being hashed, in order; a group is made of the first of them. */
  const ahead: Promise<Hashed>[] = []
  let inThreads = 0
  let items: Hashed[] = []
  let bytes = 0
  let kept = 0
  const take = (): Group => {
    const group: Group = { kind: 'hashed', items }
    for (const { memory } of items) kept -= memory?.length ?? 0
    items = []
    bytes = 0
    return group
  }
  /** Moves the first of `ahead` into the group; whether the group is complete. */
  const add = async (): Promise<boolean> => {
    const item = await ahead.shift()!
    if (isLarge(item.content)) inThreads--
    items.push(item)
    bytes += item.byteLength
    return bytes >= GROUP_BYTES || items.length >= GROUP_CONTENTS
  }
  for await (const content of contents) {
    if (!content.repeatable) {
      while (ahead.length > 0) if (await add()) yield take()
      if (items.length > 0) yield take()
      yield { kind: 'stream', content }
    } else if (isLarge(content)) {
      const hashing = hashedFile(content, threads)
      // It is awaited in its turn, or never, when something before it fails.
      hashing.catch(() => undefined)
      ahead.push(hashing)
      inThreads++
    } else {
      const item = await hashed(content, Math.min(KEPT_BYTES, KEPT_GROUP_BYTES - kept))
      kept += item.memory?.length ?? 0
      ahead.push(Promise.resolve(item))
    }
    while (ahead.length > 0 && (inThreads === 0 || inThreads > HASH_THREADS || ahead.length >= GROUP_CONTENTS))
      if (await add()) yield take()
  }
  while (ahead.length > 0) if (await add()) yield take()
  if (items.length > 0) yield take()
  return undefined
}

const isLarge = ({ repeatable, file }: Content): boolean => repeatable && file !== undefined && file.length > KEPT_BYTES

async function hashedFile(content: Content, threads: HashThreads): Promise<Hashed> {
  const file = content.file!
  return { content, sha256: await threads.hash(file), byteLength: file.length, crc32: null, memory: null }
}

async function hashed(content: Content, keep: number): Promise<Hashed> {
  const hash = createHash('sha256')
  let byteLength = 0
  let crc = 0
  let pieces: Uint8Array[] | null = []
  for await (const piece of content.read()) {
    hash.update(piece)
    crc = crc32(piece, crc)
    byteLength += piece.length
    if (byteLength > keep) pieces = null
    // A copy: the producer may use its buffer again.
    pieces?.push(Buffer.from(piece))
  }
  const memory = pieces && (pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces))
  return { content, sha256: hash.digest('hex'), byteLength, crc32: crc, memory }
}
