/**
 * PostgreSQL's binary COPY format, as far as chunks need it.
 * https://www.postgresql.org/docs/18/sql-copy.html#SQL-COPY-FILE-FORMATS
 */

/** Bytes of a chunk: all but the last of a storage are as long. */
export const CHUNK_BYTES = 2 ** 20

/** Signature, flags and the length of the header extension. */
export const COPY_HEADER: Buffer = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')
/** The end of the rows. */
export const COPY_TRAILER: Buffer = Buffer.from([0xff, 0xff])

const UUID_BYTES = 16

/** What comes before the bytes of a row (uuid, integer, bytea). */
export function chunkPrefix(contentId: string, index: number, byteLength: number): Buffer {
  const prefix = Buffer.alloc(2 + 4 + UUID_BYTES + 4 + 4 + 4)
  let at = prefix.writeInt16BE(3, 0)
  at = prefix.writeInt32BE(UUID_BYTES, at)
  at += prefix.write(contentId.replaceAll('-', ''), at, 'hex')
  at = prefix.writeInt32BE(4, at)
  at = prefix.writeInt32BE(index, at)
  prefix.writeInt32BE(byteLength, at)
  return prefix
}

/** Header of a row of one column: number of columns and length of the value. */
const ROW_PREFIX_BYTES = 6
/** Header of a row of an integer and a value: number of columns, length and value of the integer, length of the value. */
const NUMBERED_PREFIX_BYTES = 14

/** A value and the number that stands before it. */
export interface NumberedValue {
  readonly number: number
  readonly value: Uint8Array
}

/**
 * Takes rows of one bytea column apart, whatever pieces they come in. A row's bytes are copied once, into a buffer of their own.
 */
export async function* copiedValues(pieces: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array, void> {
  for await (const { value } of rows(pieces, ROW_PREFIX_BYTES)) yield value
}

/** The same of rows of an integer and a bytea column. */
export const numberedValues = (pieces: AsyncIterable<Buffer>): AsyncGenerator<NumberedValue, void> =>
  rows(pieces, NUMBERED_PREFIX_BYTES)

async function* rows(pieces: AsyncIterable<Buffer>, prefixBytes: number): AsyncGenerator<NumberedValue, void> {
  let wanted = COPY_HEADER.length
  let head = Buffer.alloc(0)
  let number = 0
  let value: Buffer | null = null
  let filled = 0
  let inHeader = true
  for await (const piece of pieces) {
    let at = 0
    while (at < piece.length) {
      if (value !== null) {
        const count = piece.copy(value, filled, at)
        at += count
        filled += count
        if (filled < value.length) continue
        yield { number, value }
        value = null
        wanted = prefixBytes
        continue
      }
      const part = piece.subarray(at, at + wanted - head.length)
      head = Buffer.concat([head, part])
      at += part.length
      // The trailer is shorter than a row's header.
      if (!inHeader && head.length >= 2 && head.readInt16BE(0) === -1) return
      if (head.length < wanted) continue
      if (inHeader) {
        inHeader = false
        wanted = prefixBytes
      } else {
        number = prefixBytes === NUMBERED_PREFIX_BYTES ? head.readInt32BE(6) : 0
        value = Buffer.allocUnsafeSlow(Math.max(head.readInt32BE(prefixBytes - 4), 0))
        filled = 0
      }
      head = Buffer.alloc(0)
    }
  }
}
