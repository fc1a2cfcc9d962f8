import { InputError } from './input-error.ts'

/** A place in a list that is ordered by a value, and among equal values by a key. */
export interface OrderPlace<Key> {
  readonly value: number
  readonly key: Key
}

/** A cursor is a place in the order: it gives access to nothing that the list would not show. */
export const encodePlace = ({ value, key }: OrderPlace<number | string>): string =>
  Buffer.from(JSON.stringify([value, key])).toString('base64url')

/**
 * The place behind a cursor.
 * @throws AppError BAD_INPUT when it is none of such a list.
 */
export function decodePlace<Key>(cursor: string, isKey: (key: unknown) => key is Key): OrderPlace<Key> {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (Array.isArray(parsed) && parsed.length === 2) {
      const [value, key] = parsed as unknown[]
      if (typeof value === 'number' && isKey(key)) return { value, key }
    }
  } catch {
    // As any other text that is no cursor.
  }
  throw new InputError(
    'BAD_INPUT',
    `${JSON.stringify(cursor.slice(0, 60))} is no cursor of this order; give the endCursor of the page before, or leave \`after\` out`,
    ['after'],
  )
}
