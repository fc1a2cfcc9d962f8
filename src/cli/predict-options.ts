import type { MapLocation } from './evaluation-request.ts'
import type { KeyOptions } from './key-mapping.ts'
import type { CommonOptions } from './run-command.ts'

/** What `predict` was asked to do. */
export interface PredictOptions extends CommonOptions, KeyOptions {
  readonly checkpointId?: string
  readonly model?: string
  readonly checkpoint?: string
  readonly input?: string
  readonly labelColumn?: string
  readonly dataset?: string
  readonly indices?: readonly number[]
  readonly top: number
  readonly threshold?: number
  readonly activation?: string
  readonly device?: string
  readonly engine?: string
  readonly computeDtype?: string
  readonly mapLocation?: MapLocation
  readonly strict: boolean
}

/** Samples on standard input. */
export const STDIN = '-'
