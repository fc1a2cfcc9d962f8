import type { KeyMapping } from '../evaluation/index.ts'
import type { Prisma } from '../store/index.ts'

/** A change of keys as a client gives it. */
export interface KeyMappingInput {
  readonly stripPrefix?: string | null | undefined
  readonly addPrefix?: string | null | undefined
}

/** What the evaluation takes; null when nothing is changed. */
export function keyMappingOf(input: KeyMappingInput | null | undefined): KeyMapping | null {
  const stripPrefix = input?.stripPrefix ?? ''
  const addPrefix = input?.addPrefix ?? ''
  return stripPrefix === '' && addPrefix === '' ? null : { stripPrefix, addPrefix }
}

/** As a run's row keeps it. */
export const keyMappingJson = ({ stripPrefix = '', addPrefix = '' }: KeyMapping): Prisma.InputJsonObject => ({
  stripPrefix: stripPrefix === '' ? null : stripPrefix,
  addPrefix: addPrefix === '' ? null : addPrefix,
})
