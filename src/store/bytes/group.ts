import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'

import type { Content, StoredContent } from './byte-store.ts'
import { CHUNK_BYTES } from './copy-format.ts'

/** A group is stored in one transaction, and hashed while the group before it is sent. */
const GROUP_BYTES = 256 * 2 ** 20
const GROUP_CONTENTS = 4096
/** Contents up to this size stay in memory between hashing and sending … */
const KEPT_BYTES = CHUNK_BYTES
/** … as long as those of a group are not more than this together. */
const KEPT_GROUP_BYTES = 32 * 2 ** 20

/** A content whose hash is known. */
export interface Hashed extends StoredContent {
  readonly content: Content
  readonly crc32: number
  /** All of its bytes, where they are few. */
  readonly memory: Uint8Array | null
}

/** What is stored together: one content that can be read only once, or some whose hashes are known. */
export type Group =
  | { readonly kind: 'stream'; readonly content: Content }
  | { readonly kind: 'hashed'; readonly items: readonly Hashed[] }

/** Cuts contents into groups, in order. */
export async function* groups(contents: AsyncIterable<Content> | Iterable<Content>): AsyncGenerator<Group, undefined> {
  let items: Hashed[] = []
  let bytes = 0
  let kept = 0
  for await (const content of contents) {
    if (!content.repeatable) {
      if (items.length > 0) yield { kind: 'hashed', items }
      items = []
      yield { kind: 'stream', content }
      bytes = kept = 0
      continue
    }
    const item = await hashed(content, Math.min(KEPT_BYTES, KEPT_GROUP_BYTES - kept))
    items.push(item)
    bytes += item.byteLength
    kept += item.memory?.length ?? 0
    if (bytes < GROUP_BYTES && items.length < GROUP_CONTENTS) continue
    yield { kind: 'hashed', items }
    items = []
    bytes = kept = 0
  }
  if (items.length > 0) yield { kind: 'hashed', items }
  return undefined
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
