import type { CommonBytes, TensorChange, TensorDistance } from '../../statistics/index.ts'

/** What `compare-checkpoints --json` prints, of files and of a platform's checkpoints alike. docs/command-line.md documents it. */
export interface ComparisonReport {
  readonly base: string
  readonly other: string
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly tensors: readonly TensorChangeReport[]
  readonly equalTensors: number
  readonly equalShare: number | null
  readonly storages: CommonBytes
}

/** A key that both have. */
export interface TensorChangeReport {
  readonly key: string
  readonly change: TensorChange | null
  readonly baseDtype: string
  readonly otherDtype: string
  readonly baseShape: readonly number[]
  readonly otherShape: readonly number[]
  readonly distance: Omit<TensorDistance, 'elements' | 'identical'> | null
  readonly reason: string | null
}
