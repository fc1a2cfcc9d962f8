import { AppError, type ErrorCode } from '../error.ts'
import type { ByteSource } from './byte-source.ts'

/**
 * What a reader of a container is told by the folder that calls it. The same zip holds checkpoints and datasets, so the
 * caller names the codes: `{ corrupt: 'CHECKPOINT_CORRUPT', unsupported: 'CHECKPOINT_UNSUPPORTED' }`.
 */
export interface ContainerOptions<Limits> {
  /** Code for a file that ends early or contradicts itself. */
  readonly corrupt: ErrorCode
  /** Code for a valid feature that is not supported (encryption, another compression); `corrupt` when absent. */
  readonly unsupported?: ErrorCode
  /** Checked before anything is allocated; what exceeds them is refused with LIMIT_EXCEEDED. */
  readonly limits?: Limits
}

/** The three refusals of a container reader. Messages start with the name of the source. */
export interface Refusals {
  corrupt(message: string, cause?: unknown): AppError
  unsupported(message: string): AppError
  limit(message: string): AppError
}

/** The refusals that speak with the caller's codes. */
export function refusals(source: ByteSource, options: ContainerOptions<unknown>): Refusals {
  return {
    corrupt: (message, cause) => new AppError(options.corrupt, `${source.name}: ${message}`, { cause }),
    unsupported: (message) => new AppError(options.unsupported ?? options.corrupt, `${source.name}: ${message}`),
    limit: (message) => new AppError('LIMIT_EXCEEDED', `${source.name}: ${message}`),
  }
}
