import type { TensorView } from '../../checkpoint/index.ts'

/** A tensor whose storage lies in a file. */
export interface TensorInFile {
  readonly path: string
  readonly view: TensorView
}

/** What the thread is asked. */
export type ThreadRequest =
  | { readonly kind: 'statistics'; readonly tensor: TensorInFile }
  | { readonly kind: 'distance'; readonly base: TensorInFile; readonly other: TensorInFile }

/** A request on its way. */
export interface ThreadMessage {
  readonly id: number
  readonly request: ThreadRequest
}

/** The answer: TensorStatistics, TensorDistance, or why there is none. */
export type ThreadAnswer =
  | { readonly id: number; readonly kind: 'value'; readonly value: unknown }
  | { readonly id: number; readonly kind: 'error'; readonly message: string }

/** States of the shared word that the thread looks at before each MiB. */
export const THREAD_STATE = { go: 0, pause: 1, stop: 2 } as const
