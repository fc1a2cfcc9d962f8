import type pg from 'pg'

import { AppError, invariant } from '../../error.ts'
import type { ReadOptions, StorageSlice } from './byte-store.ts'
import { CHUNK_BYTES, numberedValues } from './copy-format.ts'
import { copyOut } from './copy-stream.ts'

/** Ranges of one statement. */
const BATCH = 1000

/**
 * Ranges of many storages one after another, by one COPY for a thousand of them: a checkpoint of small tensors takes no more round trips
 * than one large one. The connection is held until the last piece is taken, or the reader stops.
 */
export async function* readRanges(
  pool: pg.Pool,
  slices: readonly StorageSlice[],
  { signal }: ReadOptions,
): AsyncGenerator<Uint8Array, void> {
  const wanted = slices.filter(({ length }) => length > 0)
  if (wanted.length === 0) return
  for (const slice of wanted) check(slice)
  const client = await pool.connect()
  let done = false
  try {
    for (let at = 0; at < wanted.length; at += BATCH) yield* readBatch(client, wanted.slice(at, at + BATCH), signal)
    done = true
  } finally {
    // A reader that stops early leaves the connection in the middle of a COPY.
    client.release(!done)
  }
}

async function* readBatch(
  client: pg.PoolClient,
  slices: readonly StorageSlice[],
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void> {
  let number = 0
  let at = firstChunk(slices[0]!) * CHUNK_BYTES
  const expectEnd = (): void => {
    const { sha256, offset, length } = slices[number]!
    if (at < offset + length) throw missing(sha256, at)
  }
  for await (const { number: found, value } of numberedValues(copyOut(client, statement(slices)))) {
    signal?.throwIfAborted()
    for (; number < found; at = firstChunk(slices[++number]!) * CHUNK_BYTES) expectEnd()
    const { sha256, offset, length } = slices[number]!
    const end = offset + length
    const isLast = at + CHUNK_BYTES >= end
    if (value.length !== CHUNK_BYTES && !(isLast && at + value.length >= end)) throw missing(sha256, at)
    yield value.subarray(Math.max(offset - at, 0), Math.min(end - at, value.length))
    at += value.length
  }
  for (; number < slices.length - 1; at = firstChunk(slices[++number]!) * CHUNK_BYTES) expectEnd()
  expectEnd()
}

const firstChunk = ({ offset }: StorageSlice): number => Math.floor(offset / CHUNK_BYTES)
const lastChunk = ({ offset, length }: StorageSlice): number => Math.floor((offset + length - 1) / CHUNK_BYTES)

/** COPY takes no parameters, so that values are written into it: hexadecimal digits and whole numbers, which `check` has seen. */
function statement(slices: readonly StorageSlice[]): string {
  const list = (values: readonly (string | number)[]): string => values.join(',')
  return `copy (
    select (wanted.number - 1)::integer, chunk."bytes"
    from unnest(
      '{${list(slices.map(({ sha256 }) => sha256))}}'::text[],
      '{${list(slices.map(firstChunk))}}'::integer[],
      '{${list(slices.map(lastChunk))}}'::integer[]
    ) with ordinality as wanted (sha256, first, last, number)
    join "Storage" storage on storage.sha256 = wanted.sha256
    join "StorageChunk" chunk on chunk."contentId" = storage."contentId" and chunk."index" between wanted.first and wanted.last
    order by wanted.number, chunk."index"
  ) to stdout (format binary)`
}

function check({ sha256, offset, length }: StorageSlice): void {
  invariant(/^[0-9a-f]{64}$/.test(sha256), 'a storage is named by its SHA-256')
  if (!(Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0))
    throw new AppError(
      'BAD_INPUT',
      `bytes ${offset} to ${offset + length} of a storage are wanted; whole numbers are expected`,
    )
}

const missing = (sha256: string, at: number): Error =>
  new Error(`storage ${sha256} is damaged or gone: the bytes at ${at} are not there`)
