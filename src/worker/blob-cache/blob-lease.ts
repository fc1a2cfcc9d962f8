import { randomUUID } from 'node:crypto'
import { chmod, link, mkdir, open, rename, rm, stat, utimes, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Logger } from 'pino'
import { storageDamaged } from '../../store/index.ts'
import { errnoOf } from '../../usecase/index.ts'
import { blobPath, type CacheLayout } from './cache-layout.ts'
import { hashFile, writeHashed } from './hashed-file.ts'
import { watermark, type Watermark } from './watermark.ts'

/** Blobs that are in use: none of them is evicted. */
export interface BlobLease extends AsyncDisposable {
  /**
   * The absolute path of a file with these bytes. What is not there, or is not what its name says, comes from the source.
   * @throws AppError STORAGE_DAMAGED when the source's bytes have another hash too.
   */
  file(sha256: string, signal?: AbortSignal): Promise<string>
  /** The same file, as soon as there is one: its bytes may still be on their way, and their hash is not checked yet. */
  arriving(sha256: string, signal?: AbortSignal): Promise<ArrivingFile>
  /** The absolute path of a file that is not there yet; it goes with the lease. */
  scratchFile(): Promise<string>
}

/** A file whose bytes may still be on their way. */
export interface ArrivingFile {
  /** Absolute. */
  readonly path: string
  /** Whether it was here already. */
  readonly cached: boolean
  /**
   * Resolves when the first `bytes` bytes of it can be read.
   * @throws what `whole` rejects with, or Error when the file ends before.
   */
  readonly arrived: (bytes: number) => Promise<void>
  /** Resolves when all of it is there and has the right hash; what was read before that is worth nothing when this rejects. */
  readonly whole: Promise<void>
}

/** Bytes by their SHA-256. */
export interface BlobSource {
  size(sha256: string): Promise<number>
  read(sha256: string, signal?: AbortSignal): AsyncIterable<Uint8Array>
}

/** Makes room for a blob of some bytes. What it answers is called when the blob is there, or will not be. */
export type MakeRoom = (bytes: number) => Promise<() => void>

/** What a lease is made from. */
export interface LeaseOptions {
  readonly source: BlobSource
  readonly log: Logger
  readonly layout: CacheLayout
  /** Folder of this lease. */
  readonly own: string
  /** What a file was when this process hashed it last. */
  readonly verified: Map<string, FileFacts>
  readonly makeRoom: MakeRoom
}

/** Changes when somebody writes to the file or replaces it; does not when it is linked or its use is noted. */
export interface FileFacts {
  readonly inode: number
  readonly size: number
  readonly modifiedMs: number
}

/** A lease with nothing in it. */
export function makeLease(options: LeaseOptions): BlobLease {
  const { layout, own, verified, source, log, makeRoom } = options
  // Two parameters may be views of one storage: it is fetched once.
  const pending = new Map<string, Promise<ArrivingFile>>()
  let scratches = 0

  async function obtain(sha256: string, signal: AbortSignal | undefined): Promise<ArrivingFile> {
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new RangeError(`not a SHA-256: ${sha256}`)
    const path = join(own, sha256)
    await mkdir(own, { recursive: true })
    if (await linked(blobPath(layout, sha256), path)) {
      if (await isIntact(sha256, path))
        return { path, cached: true, arrived: () => Promise.resolve(), whole: Promise.resolve() }
      log.warn({ sha256 }, 'a cached file does not have the bytes that its name says; it is fetched again')
      await rm(path, { force: true })
    }
    return await startFetching(sha256, path, signal)
  }

  async function isIntact(sha256: string, path: string): Promise<boolean> {
    const before = await factsOf(path)
    const known = verified.get(sha256)
    if (known === undefined || !sameFacts(known, before)) {
      if ((await hashFile(path)) !== sha256) return false
      verified.set(sha256, before)
    }
    // The access time is when it was used last; the modification time stays what it was verified with.
    // A file of another user cannot be noted as used: it may be evicted sooner.
    await utimes(path, new Date(), before.modifiedMs / 1000).catch(() => undefined)
    return true
  }

  async function startFetching(sha256: string, path: string, signal: AbortSignal | undefined): Promise<ArrivingFile> {
    const settled = await makeRoom(await source.size(sha256))
    const partial = join(layout.partial, randomUUID())
    let file: FileHandle | null = null
    try {
      file = await open(partial, 'wx')
      await link(partial, path)
    } catch (error) {
      settled()
      await file?.close()
      await rm(partial, { force: true })
      throw error
    }
    const arrived = watermark()
    const whole = fetch(sha256, { path, partial, file }, arrived, signal).finally(settled)
    whole.then(arrived.end, arrived.fail)
    return { path, cached: false, arrived: (bytes) => arrived.reached(bytes), whole }
  }

  async function fetch(
    sha256: string,
    { path, partial, file }: { readonly path: string; readonly partial: string; readonly file: FileHandle },
    arrived: Watermark,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    try {
      const found = await writeHashed(file, source.read(sha256, signal), arrived.rise, signal).finally(() =>
        file.close(),
      )
      if (found !== sha256) throw storageDamaged(sha256, `the database has bytes with SHA-256 ${found}`)
      await chmod(partial, 0o444)
      // Whole seconds survive every file system, and `utimes` takes them exactly.
      const now = Math.floor(Date.now() / 1000)
      await utimes(partial, now, now)
      const blob = blobPath(layout, sha256)
      await mkdir(dirname(blob), { recursive: true })
      await rename(partial, blob)
    } catch (error) {
      await rm(path, { force: true })
      throw error
    } finally {
      await rm(partial, { force: true })
    }
    verified.set(sha256, await factsOf(path))
  }

  function arriving(sha256: string, signal: AbortSignal | undefined): Promise<ArrivingFile> {
    const known = pending.get(sha256)
    if (known !== undefined) return known
    const file = obtain(sha256, signal)
    pending.set(sha256, file)
    // What failed is tried again by the next who asks.
    file.then(({ whole }) => whole).catch(() => pending.delete(sha256))
    return file
  }

  return {
    arriving,
    async file(sha256, signal) {
      const { path, whole } = await arriving(sha256, signal)
      await whole
      return path
    },
    async scratchFile() {
      await mkdir(own, { recursive: true })
      return join(own, `scratch-${scratches++}`)
    },
    async [Symbol.asyncDispose]() {
      await Promise.allSettled([...pending.values()].map(async (file) => (await file).whole))
      await rm(own, { recursive: true, force: true })
    },
  }
}

/** Links a blob into the lease; false when there is none. */
async function linked(blob: string, path: string): Promise<boolean> {
  try {
    await link(blob, path)
    return true
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw error
  }
}

async function factsOf(path: string): Promise<FileFacts> {
  const { ino, size, mtimeMs } = await stat(path)
  return { inode: ino, size, modifiedMs: Math.floor(mtimeMs) }
}

const sameFacts = (a: FileFacts, b: FileFacts): boolean =>
  a.inode === b.inode && a.size === b.size && a.modifiedMs === b.modifiedMs
