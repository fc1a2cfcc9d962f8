import { join } from 'node:path'

/**
 * The folder of a blob cache:
 *
 *     blobs/ab/abcdef…   the bytes whose SHA-256 is the name
 *     partial/…          what is being written
 *     leases/HOST.PID.X/ one folder for each process that uses the cache, with a hard link for each blob that it has in use
 *
 * A link keeps the bytes while anybody uses them: no lock is needed, whoever evicts, and whoever dies.
 */
export interface CacheLayout {
  readonly blobs: string
  readonly partial: string
  readonly leases: string
}

/** The folders of a cache. */
export const cacheLayout = (root: string): CacheLayout => ({
  blobs: join(root, 'blobs'),
  partial: join(root, 'partial'),
  leases: join(root, 'leases'),
})

/** Where a blob lies. */
export const blobPath = ({ blobs }: CacheLayout, sha256: string): string => join(blobs, sha256.slice(0, 2), sha256)

/** The owner of a lease folder by its name; null for a name that is none. */
export function leaseOwner(folder: string): { readonly host: string; readonly pid: number } | null {
  const match = /^(.+)\.(\d+)\.[0-9a-f-]{36}$/.exec(folder)
  return match === null ? null : { host: match[1]!, pid: Number(match[2]) }
}
