import type { TensorStatistics } from '../../statistics/index.ts'
import type { ValueTree } from '../../checkpoint/index.ts'

/** What `inspect --json` prints: everything about a checkpoint, from a file or from a platform. docs/command-line.md documents it. */
export interface CheckpointReport {
  /** Path of the file, or id of the checkpoint. */
  readonly source: string
  readonly fileName: string
  /** `torch-zip`, `safetensors` … */
  readonly format: string
  readonly fileBytes: number
  /** Of the file; null when it was not asked for. */
  readonly sha256: string | null
  /** Of a torch zip; null elsewhere and where it is not known. */
  readonly formatVersion: string | null
  readonly byteOrder: string | null
  /** Values of the first state_dict, tied ones counted once. */
  readonly parameters: number
  /** Tensors in the whole file, optimizer and all; null where that is not known. */
  readonly tensorCount: number | null
  readonly storages: { readonly count: number; readonly bytes: number } | null
  readonly stateDicts: readonly StateDictReport[]
  readonly locations: readonly string[]
  readonly globals: readonly GlobalReport[]
  readonly warnings: readonly string[]
  /** Of the statistics: READY, or why they are not there; null when they were not asked for. */
  readonly statistics: string | null
  readonly tensors: readonly TensorReport[]
  /** With `--tree`. */
  readonly tree?: ValueTree
  /** With `--tree` of a file: what the tensors of the tree are, by their number. */
  readonly treeTensors?: readonly { readonly dtype: string; readonly shape: readonly number[] }[]
}

/** A state_dict of the file. */
export interface StateDictReport {
  readonly path: readonly string[]
  readonly tensors: number
}

/** A name in the pickle. */
export interface GlobalReport {
  readonly module: string
  readonly name: string
  readonly offset: number
  readonly allowed: boolean
  readonly danger: string | null
}

/** A tensor of a state_dict. */
export interface TensorReport {
  /** Where its state_dict is. */
  readonly stateDict: readonly string[]
  readonly key: string
  readonly dtype: string
  readonly shape: readonly number[]
  readonly stride: readonly number[]
  readonly contiguous: boolean
  /** Of its values. */
  readonly bytes: number
  readonly location: string
  /** Other keys that are views of the same storage. */
  readonly sharedWith: readonly string[]
  /** With `--stats`; null where it has none. */
  readonly statistics?: TensorStatistics | null
}
