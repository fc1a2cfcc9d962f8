import type { Logger } from 'pino'

import { openPool } from '../connection.ts'
import type { ByteStore } from './byte-store.ts'
import { putAll } from './put.ts'
import { readRanges } from './read-ranges.ts'
import { findStorage, readStorage } from './read.ts'
import { sweepStorages } from './sweep.ts'

export type {
  ByteRange,
  ByteStore,
  Content,
  ReadOptions,
  StorageSlice,
  StoredContent,
  SweepReport,
} from './byte-store.ts'

/** Streams at a time; more of them wait. A stream that its reader does not read on holds a connection. */
const CONNECTIONS = 8
/** Longer than any import takes. */
const GRACE_MS = 24 * 3_600_000

/** Opens the byte store, with connections of its own: streams must not keep ordinary queries waiting. */
export function openByteStore(databaseUrl: string, log: Logger): ByteStore & AsyncDisposable {
  const pool = openPool(databaseUrl, CONNECTIONS, log)
  return {
    put: async (pieces) => (await putAll(pool, [{ read: () => pieces, repeatable: false }]))[0]!,
    putAll: (contents) => putAll(pool, contents),
    read: (sha256, range, options = {}) => readStorage(pool, sha256, range, options),
    readRanges: (slices, options = {}) => readRanges(pool, slices, options),
    size: async (sha256) => (await findStorage(pool, sha256)).byteLength,
    sweep: ({ graceMs = GRACE_MS } = {}) => sweepStorages(pool, graceMs),
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  }
}
