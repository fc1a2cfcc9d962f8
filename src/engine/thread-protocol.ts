import { AppError, type ErrorCode } from '../error.ts'
import type { Graph } from '../architecture/index.ts'
import type { Tensor, TensorMap } from '../tensor/index.ts'
import type { EngineOptions, ParameterSource } from './engine.ts'

/** What the thread is started with. */
export interface ThreadData {
  /** URL of the engine's module. */
  readonly module: string
  /** One number in shared memory: not 0 once the engine is closed. */
  readonly closed: Int32Array
}

/** What the thread is asked for. `session` is a number that `load` gave. */
export type ThreadRequest =
  | { readonly kind: 'describe' }
  | { readonly kind: 'devices' }
  | {
      readonly kind: 'load'
      readonly graph: Graph
      readonly parameters: ParameterSource
      readonly device: string
      readonly options: EngineOptions
    }
  | { readonly kind: 'run'; readonly session: number; readonly inputs: TensorMap }
  | { readonly kind: 'release'; readonly session: number }
  /** Releases every session and lets the thread end. */
  | { readonly kind: 'close' }

/** A request and the number that its answer carries. */
export interface ThreadMessage {
  readonly id: number
  readonly request: ThreadRequest
}

/** An answer, in the order of the requests. */
export type ThreadAnswer =
  | { readonly id: number; readonly kind: 'value'; readonly value: unknown }
  | {
      readonly id: number
      readonly kind: 'error'
      readonly code: ErrorCode | null
      readonly message: string
      readonly stack: string
    }

/** An exception as data. */
export function errorAnswer(id: number, error: unknown): ThreadAnswer {
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  return { id, kind: 'error', code: error instanceof AppError ? error.code : null, message, stack: stack ?? message }
}

/** The exception again: an AppError stays one; another is a bug of ours, with the thread's stack as its cause. */
export function errorOf({ code, message, stack }: Extract<ThreadAnswer, { kind: 'error' }>): Error {
  const cause = new Error(message)
  cause.stack = stack
  return code === null ? new Error(message, { cause }) : new AppError(code, message, { cause })
}

/** Whether the buffer of an array holds nothing else, so that it can be moved to another thread. */
const ownsBuffer = ({ data }: Tensor): boolean =>
  data.buffer instanceof ArrayBuffer && data.byteLength === data.buffer.byteLength

/** Tensors that can be moved: those that share their buffer are copied, without what else is in it. */
export const movable = (tensors: TensorMap): TensorMap =>
  new Map(
    [...tensors].map(([name, tensor]) => [
      name,
      ownsBuffer(tensor) ? tensor : { ...tensor, data: tensor.data.slice() },
    ]),
  )

/** The buffers that move with movable tensors, each once. */
export const buffersOf = (...maps: readonly TensorMap[]): ArrayBuffer[] => [
  ...new Set(maps.flatMap((map) => [...map.values()].map(({ data }) => data.buffer as ArrayBuffer))),
]
