import type { PrefixRename } from './evaluation-request.ts'

/** Options that change the keys of a state_dict. */
export interface KeyOptions {
  readonly stripPrefix?: string | undefined
  readonly renamePrefix?: readonly PrefixRename[] | undefined
  readonly addPrefix?: string | undefined
}

/** `KeyMappingInput` of the schema. */
export interface KeyMapping {
  readonly stripPrefix?: string | undefined
  readonly renamePrefixes?: readonly PrefixRename[] | undefined
  readonly addPrefix?: string | undefined
}

/** What the options say; undefined when they say nothing. */
export function keyMappingOf({ stripPrefix, renamePrefix, addPrefix }: KeyOptions): KeyMapping | undefined {
  if (stripPrefix === undefined && renamePrefix === undefined && addPrefix === undefined) return undefined
  return { stripPrefix, renamePrefixes: renamePrefix, addPrefix }
}
