import { randomUUID } from 'node:crypto'
import { mkdir, rm, utimes } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { makeLease, type BlobLease, type BlobSource, type FileFacts, type MakeRoom } from './blob-lease.ts'
import { cacheLayout, type CacheLayout } from './cache-layout.ts'
import { evictBlobs } from './evict-blobs.ts'
import { removeStaleLeases } from './stale-leases.ts'

/** Files by the SHA-256 of their bytes, on this machine. Several processes may share one folder. */
export interface BlobCache extends AsyncDisposable {
  /** A set of blobs in use. Dispose it when their files are no longer read; files that are open stay readable. */
  lease(): BlobLease
}

/** What a cache is made from. */
export interface BlobCacheOptions {
  /** Created when missing. */
  readonly folder: string
  /** Bytes that blobs not in use may take on disk. */
  readonly maxBytes: number
  /** Where blobs come from. */
  readonly source: BlobSource
  readonly log: Logger
}

/** Milliseconds between two signs of life of a lease folder. */
const LEASE_TOUCH_MS = 30_000

/** Opens the cache and clears what dead processes left in it. */
export async function openBlobCache(options: BlobCacheOptions): Promise<BlobCache> {
  const layout = cacheLayout(options.folder)
  const own = join(layout.leases, `${hostname()}.${process.pid}.${randomUUID()}`)
  for (const folder of [layout.blobs, layout.partial, own]) await mkdir(folder, { recursive: true })
  await removeStaleLeases(layout, options.log)
  const touch = setInterval(() => {
    const now = new Date()
    // A folder that is gone is made again by the next link.
    utimes(own, now, now).catch(() => undefined)
  }, LEASE_TOUCH_MS)
  touch.unref()

  const verified = new Map<string, FileFacts>()
  const makeRoom = roomMaker(layout, options.maxBytes)
  return {
    lease: () => makeLease({ ...options, layout, own: join(own, randomUUID()), verified, makeRoom }),
    async [Symbol.asyncDispose]() {
      clearInterval(touch)
      await rm(own, { recursive: true, force: true })
    },
  }
}

/**
 * Makes room for a blob of some bytes. Looking through the whole cache for each of a thousand small weights would take longer
 * than fetching them, so each look makes room for the next ones too.
 */
function roomMaker(layout: CacheLayout, maxBytes: number): MakeRoom {
  let room = 0
  // What others are fetching does not lie among the blobs yet, and will.
  let arriving = 0
  return async (bytes) => {
    arriving += bytes
    const arrived = () => {
      arriving -= bytes
    }
    try {
      if (bytes > room) {
        room = Math.max(bytes, Math.floor(maxBytes / 32))
        await evictBlobs(layout, maxBytes, arriving - bytes + room)
      }
      room -= bytes
    } catch (error) {
      arrived()
      throw error
    }
    return arrived
  }
}
