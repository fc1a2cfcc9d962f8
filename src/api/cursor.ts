import { createHash } from 'node:crypto'
import { InputError } from './input-error.ts'

/** The lists that are paged. A cursor belongs to one of them. */
export const CURSOR_LISTS = ['Model', 'Checkpoint', 'Dataset', 'Run', 'Upload'] as const

/** A list that is paged. */
export type CursorList = (typeof CURSOR_LISTS)[number]

// Version, list, 16 bytes of UUID, 6 bytes of SHA-256 over these and the purpose. The checksum is no secret: it tells a mangled
// cursor from a good one, and a cursor gives access to nothing that the list would not show.
const VERSION = 1
const UUID_AT = 2
const CHECKSUM_AT = 18
const LENGTH = 24

/** The opaque place of a row in a list that is ordered by id. */
export function encodeCursor(list: CursorList, uuid: string): string {
  const bytes = Buffer.alloc(LENGTH)
  bytes[0] = VERSION
  bytes[1] = CURSOR_LISTS.indexOf(list)
  bytes.write(uuid.replaceAll('-', ''), UUID_AT, 'hex')
  checksum(bytes).copy(bytes, CHECKSUM_AT)
  return bytes.toString('base64url')
}

/**
 * The UUID behind a cursor.
 * @throws AppError BAD_INPUT when the cursor was changed, cut, or comes from another list.
 */
export function decodeCursor(list: CursorList, cursor: string): string {
  const bytes = cursor.length === LENGTH * (4 / 3) ? Buffer.from(cursor, 'base64url') : Buffer.alloc(0)
  if (bytes.length !== LENGTH || bytes[0] !== VERSION || !checksum(bytes).equals(bytes.subarray(CHECKSUM_AT)))
    throw new InputError(
      'BAD_INPUT',
      `${JSON.stringify(cursor.slice(0, 60))} is no cursor; give the endCursor of the page before, or leave \`after\` out`,
      ['after'],
    )
  const found = CURSOR_LISTS[bytes[1]!]
  if (found !== list)
    throw new InputError(
      'BAD_INPUT',
      `the cursor belongs to a list of ${found ?? 'something else'}s; this is a list of ${list}s`,
      ['after'],
    )
  const hex = bytes.toString('hex', UUID_AT, CHECKSUM_AT)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

const checksum = (bytes: Buffer) =>
  createHash('sha256')
    .update('nograd cursor\0')
    .update(bytes.subarray(0, CHECKSUM_AT))
    .digest()
    .subarray(0, LENGTH - CHECKSUM_AT)
