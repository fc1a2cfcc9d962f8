import { once } from 'node:events'

import type pg from 'pg'
import { from, to } from 'pg-copy-streams'

import { COPY_HEADER, COPY_TRAILER } from './copy-format.ts'

/** A COPY into a table that is under way. */
export interface CopyIn {
  /** Waits while the server is slower than the caller; then the bytes are the caller's again. */
  write(bytes: Uint8Array): Promise<void>
  /** Ends the COPY: then its rows are in the transaction. */
  end(): Promise<void>
}

/** Writes shorter than this are gathered: each one that reaches the socket costs two system calls. */
const GATHERED_BYTES = 2 ** 16

/** Starts a binary COPY into a table. After an error the connection is of no more use. */
export async function startCopyIn(client: pg.PoolClient, sql: string): Promise<CopyIn> {
  const stream = client.query(from(sql))
  const failed = new Promise<never>((_resolve, reject) => stream.once('error', reject))
  failed.catch(() => undefined)
  const gathered = Buffer.allocUnsafeSlow(GATHERED_BYTES)
  let length = 0

  async function send(bytes: Uint8Array): Promise<void> {
    if (stream.errored) throw stream.errored
    // Called when the socket has taken them: memory for 1 MiB takes longer to get than to hash, so that buffers are used again.
    await Promise.race([new Promise<void>((resolve) => stream.write(bytes, () => resolve())), failed])
  }
  async function flush(): Promise<void> {
    if (length === 0) return
    const bytes = gathered.subarray(0, length)
    length = 0
    await send(bytes)
  }
  async function write(bytes: Uint8Array): Promise<void> {
    if (length + bytes.length > GATHERED_BYTES) await flush()
    if (bytes.length > GATHERED_BYTES) {
      await send(bytes)
      return
    }
    gathered.set(bytes, length)
    length += bytes.length
  }

  await write(COPY_HEADER)
  return {
    write,
    end: async () => {
      await write(COPY_TRAILER)
      await flush()
      const finished = once(stream, 'finish')
      stream.end()
      await Promise.race([finished, failed])
    },
  }
}

/** What a binary COPY out of the database sends, read as fast as the caller takes it. */
export function copyOut(client: pg.PoolClient, sql: string): AsyncIterable<Buffer> {
  return client.query(to(sql))
}
