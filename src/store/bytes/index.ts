import type { Logger } from 'pino'

import { openPool } from '../connection.ts'
import type { ByteStore } from './byte-store.ts'
import { holdStorages } from './hold.ts'
import { putAll } from './put.ts'
import { readRanges } from './read-ranges.ts'
import { findStorage, readStorage } from './read.ts'
import { withoutSweep } from './sweep-lock.ts'
import { sweepStorages } from './sweep.ts'
import { verifyStorage } from './verify.ts'

export type {
  ByteRange,
  ByteStore,
  Content,
  Integrity,
  ReadOptions,
  StorageSlice,
  StoredContent,
  SweepReport,
} from './byte-store.ts'
export { storageDamaged } from './read.ts'

/** Streams at a time; more of them wait. A stream that its reader does not read on holds a connection. */
const CONNECTIONS = 8
/** Imports that keep the sweep away; the streams that they wait for are of the pool above. */
const GUARDS = 1
/** Longer than most imports take; one that takes longer puts again what was swept (`hold`). */
const GRACE_MS = 24 * 3_600_000

/** Opens the byte store, with connections of its own: streams must not keep ordinary queries waiting. */
export function openByteStore(databaseUrl: string, log: Logger): ByteStore & AsyncDisposable {
  const pool = openPool(databaseUrl, CONNECTIONS, log)
  const guards = openPool(databaseUrl, GUARDS, log)
  return {
    put: async (pieces) => (await putAll(pool, [{ read: () => pieces, repeatable: false }]))[0]!,
    putAll: (contents) => putAll(pool, contents),
    read: (sha256, range, options = {}) => readStorage(pool, sha256, range, options),
    readRanges: (slices, options = {}) => readRanges(pool, slices, options),
    size: async (sha256) => (await findStorage(pool, sha256)).byteLength,
    hold: holdStorages,
    withoutSweep: (action) => withoutSweep(guards, action),
    verify: (sha256, signal) => verifyStorage(pool, sha256, signal),
    sweep: ({ graceMs = GRACE_MS, untilMs = Infinity } = {}) => sweepStorages(pool, graceMs, untilMs),
    [Symbol.asyncDispose]: async () => {
      await guards[Symbol.asyncDispose]()
      await pool[Symbol.asyncDispose]()
    },
  }
}
