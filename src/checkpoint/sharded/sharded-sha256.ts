import { createHash } from 'node:crypto'

/** A file and the SHA-256 of its bytes, in lower-case hex. */
export interface HashedFile {
  readonly name: string
  readonly sha256: string
}

/**
 * One SHA-256 for the files of a sharded checkpoint: of the text that `sha256sum` prints for the index and then for its shards by
 * name (two checkpoints of one model have the same index).
 */
export function shardedSha256(index: HashedFile, shards: readonly HashedFile[]): string {
  const files = [index, ...[...shards].sort((a, b) => (a.name < b.name ? -1 : 1))]
  return createHash('sha256')
    .update(files.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join(''))
    .digest('hex')
}
