import type { WrittenValue } from '../written-value.ts'
import type { PickleOutput } from './pickle-output.ts'
import type { StorageType } from './storage-types.ts'

/** What the writers of nodes work with. */
export interface PickleContext {
  readonly output: PickleOutput
  readonly value: WrittenValue
  readonly types: readonly StorageType[]
  /** Memo numbers of the keys of the storages that were named so far, in order of first encounter. */
  readonly keys: Map<number, number>
}

/** Writes a node; yields the indices of the nodes to be written in between. Returns its memo number where it has identity. */
export type NodeWriter = Generator<number, number | undefined>
