import type { Transaction } from '../client.ts'

/** Something to be stored. */
export interface Content {
  /** Its bytes from the beginning, in pieces. */
  read(): AsyncIterable<Uint8Array>
  /**
   * Whether `read` may be called twice. Then the bytes are hashed first, and those that are stored already are not sent again.
   * Otherwise they are sent as they come, and what was there already is taken back.
   */
  readonly repeatable: boolean
  /**
   * Where the same bytes lie in a file that does not change, if they do: then other threads read and hash them there, several at a time.
   */
  readonly file?: FileRange | undefined
}

/** A part of a file, in bytes. */
export interface FileRange extends ByteRange {
  readonly path: string
}

/** What was stored. */
export interface StoredContent {
  /** Lower-case hex. */
  readonly sha256: string
  readonly byteLength: number
}

/** A part of a storage, in bytes. */
export interface ByteRange {
  readonly offset: number
  readonly length: number
}

/** A part of a storage that is named. */
export interface StorageSlice extends ByteRange {
  readonly sha256: string
}

/** How to read. */
export interface ReadOptions {
  /** Whether a read of the whole checks the hash (it does unless told otherwise; a caller that hashes anyway can do without). */
  readonly verify?: boolean
  readonly signal?: AbortSignal
}

/** What a sweep removed. */
export interface SweepReport {
  readonly storages: number
  readonly bytes: number
  /** False when the time was over before everything was looked at. */
  readonly finished: boolean
}

/** What became of the bytes of a storage. */
export interface Integrity {
  /** DAMAGED: there are other bytes. MISSING: some, or all, are not there. */
  readonly status: 'OK' | 'DAMAGED' | 'MISSING'
  readonly byteLength: number
  /** For people; null when all is well. */
  readonly problem: string | null
}

/**
 * Bytes by their SHA-256, stored once.
 *
 * What is put is safe from `sweep` for a grace period, also when it was there before: within it the caller commits the rows that
 * name it. Rows and bytes thus become visible together, with the caller's transaction, and nothing has to be locked meanwhile. A caller
 * that may take longer asks `hold` in that transaction, and puts again what is gone.
 */
export interface ByteStore {
  /** Stores one content that can be read once. */
  put(pieces: AsyncIterable<Uint8Array>): Promise<StoredContent>
  /** Stores many, in order: small ones travel together. After an error whole groups of them may be stored; the sweep gets them. */
  putAll(contents: AsyncIterable<Content> | Iterable<Content>): Promise<readonly StoredContent[]>
  /**
   * The bytes of a storage, or of a part of it, in order, in pieces of at most 1 MiB.
   * @throws AppError NOT_FOUND; STORAGE_DAMAGED when bytes are missing, or those of a whole storage have another hash than they are filed under.
   */
  read(sha256: string, range?: ByteRange, options?: ReadOptions): AsyncIterable<Uint8Array>
  /**
   * Parts of many storages one after another, in pieces of at most 1 MiB, without a check of hashes: as fast as the database gives them.
   * @throws Error when bytes are not there.
   */
  readRanges(slices: readonly StorageSlice[], options?: Pick<ReadOptions, 'signal'>): AsyncIterable<Uint8Array>
  /** @throws AppError NOT_FOUND. */
  size(sha256: string): Promise<number>
  /**
   * Keeps storages from every sweep until the caller's transaction ends: then rows name them, or nothing does.
   * @returns those that are gone already.
   */
  hold(tx: Transaction, sha256s: readonly string[]): Promise<ReadonlySet<string>>
  /** Runs an action while no sweep removes anything: for what has to put again what one took. One at a time, in all processes. */
  withoutSweep<T>(action: () => Promise<T>): Promise<T>
  /**
   * Reads a storage once, in bounded memory, and compares its hash. Damage is noted: the next `put` of the right bytes replaces what is there.
   * @throws AppError NOT_FOUND.
   */
  verify(sha256: string, signal?: AbortSignal): Promise<Integrity>
  /**
   * Removes what no checkpoint and no dataset names, and what was not put within the grace period; begins nothing new after `untilMs`
   * milliseconds.
   */
  sweep(options?: { readonly graceMs?: number; readonly untilMs?: number }): Promise<SweepReport>
}
