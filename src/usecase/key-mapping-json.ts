import { AppError } from '../error.ts'
import type { KeyMapping, PrefixRename } from '../evaluation/index.ts'
import type { Prisma } from '../store/index.ts'

/** A change of keys as a client gives it. */
export interface KeyMappingInput {
  readonly stripPrefix?: string | null | undefined
  readonly renamePrefixes?: readonly PrefixRename[] | null | undefined
  readonly addPrefix?: string | null | undefined
}

/** Prefixes that one mapping renames at most: each key is compared with each of them. */
const MAX_RENAMES = 100

/**
 * What the evaluation takes; null when nothing is changed.
 * @throws AppError BAD_INPUT when a rename names no prefix, or there are too many.
 */
export function keyMappingOf(input: KeyMappingInput | null | undefined): KeyMapping | null {
  const stripPrefix = input?.stripPrefix ?? ''
  const addPrefix = input?.addPrefix ?? ''
  const renamePrefixes = input?.renamePrefixes ?? []
  if (renamePrefixes.length > MAX_RENAMES)
    throw new AppError('BAD_INPUT', `${renamePrefixes.length} prefixes are renamed; ${MAX_RENAMES} at most can be`)
  if (renamePrefixes.some(({ from }) => from === ''))
    throw new AppError('BAD_INPUT', 'the prefix to rename is empty; to put a prefix before all keys, give addPrefix')
  if (stripPrefix === '' && addPrefix === '' && renamePrefixes.length === 0) return null
  return { stripPrefix, addPrefix, ...(renamePrefixes.length === 0 ? {} : { renamePrefixes }) }
}

/** As a run's row keeps it. */
export const keyMappingJson = ({
  stripPrefix = '',
  renamePrefixes = [],
  addPrefix = '',
}: KeyMapping): Prisma.InputJsonObject => ({
  stripPrefix: stripPrefix === '' ? null : stripPrefix,
  renamePrefixes: renamePrefixes.map(({ from, to }) => ({ from, to })),
  addPrefix: addPrefix === '' ? null : addPrefix,
})
