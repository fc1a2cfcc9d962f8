import { AppError } from '../../error.ts'

/** How the keys of a checkpoint become the keys of a model: first a prefix goes, then prefixes change, then another comes. */
export interface KeyMapping {
  /** Taken from the keys that begin with it, as torch's consume_prefix_in_state_dict_if_present; other keys stay. */
  readonly stripPrefix?: string | undefined
  /** Of those that a key begins with, the first one is replaced: `backbone.` by `encoder.`. */
  readonly renamePrefixes?: readonly PrefixRename[] | undefined
  readonly addPrefix?: string | undefined
}

/** A prefix and what comes in its place. */
export interface PrefixRename {
  readonly from: string
  readonly to: string
}

/** One key as it is called after the mapping. */
export function mapKey(key: string, { stripPrefix = '', renamePrefixes = [], addPrefix = '' }: KeyMapping): string {
  const stripped = key.startsWith(stripPrefix) ? key.slice(stripPrefix.length) : key
  const rename = renamePrefixes.find(({ from }) => stripped.startsWith(from))
  return addPrefix + (rename === undefined ? stripped : rename.to + stripped.slice(rename.from.length))
}

/**
 * Keys after the mapping → the keys they were, in the same order.
 * @throws AppError BINDING_FAILED when two keys become one.
 */
export function applyKeyMapping(keys: Iterable<string>, mapping: KeyMapping): Map<string, string> {
  const mapped = new Map<string, string>()
  for (const key of keys) {
    const target = mapKey(key, mapping)
    const taken = mapped.get(target)
    if (taken !== undefined)
      throw new AppError(
        'BINDING_FAILED',
        `the key mapping ${JSON.stringify(mapping)} makes "${taken}" and "${key}" both "${target}"; choose prefixes that keep keys apart`,
      )
    mapped.set(target, key)
  }
  return mapped
}
