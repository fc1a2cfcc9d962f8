import { createSourceEventStream, execute, type ExecutionArgs, type ExecutionResult, type GraphQLError } from 'graphql'
import { locatedError } from 'graphql'
import type { Logger } from 'pino'
import type { Context } from '../context.ts'
import { presentGraphQLError } from '../present-error.ts'

/**
 * As graphql-js's `subscribe`, with a new context for each event: what one event loaded, the next must not see. It is
 * pulled: the next event is asked for when the last one was sent.
 */
export async function subscribeFreshly(
  log: Logger,
  contextNow: () => Context,
  args: ExecutionArgs,
): Promise<ExecutionResult | AsyncGenerator<ExecutionResult, void>> {
  const source = await createSourceEventStream({ ...args, contextValue: contextNow() })
  if (!(Symbol.asyncIterator in source)) return present(source, log)
  const events = source[Symbol.asyncIterator]()
  let ended = false

  const next = async (): Promise<IteratorResult<ExecutionResult, void>> => {
    if (ended) return { done: true, value: undefined }
    try {
      const event = await events.next()
      if (event.done === true) return { done: true, value: undefined }
      const result = await execute({ ...args, rootValue: event.value, contextValue: contextNow() })
      return { done: false, value: present(result, log) }
    } catch (error) {
      // The source failed: the client gets the reason as the last answer.
      ended = true
      return { done: false, value: present({ errors: [locatedError(error, undefined)] }, log) }
    }
  }
  const end = async (): Promise<IteratorResult<ExecutionResult, void>> => {
    ended = true
    await events.return?.()
    return { done: true, value: undefined }
  }
  return {
    next,
    return: end,
    throw: end,
    [Symbol.asyncIterator]() {
      return this
    },
    [Symbol.asyncDispose]: async () => {
      await end()
    },
  } as AsyncGenerator<ExecutionResult, void>
}

/** A result with errors as clients may see them. */
function present(result: ExecutionResult, log: Logger): ExecutionResult {
  return result.errors === undefined ? result : { ...result, errors: presentAll(result.errors, log) }
}

/** Errors as clients may see them. */
export const presentAll = (errors: readonly GraphQLError[], log: Logger): GraphQLError[] =>
  errors.map((error) => presentGraphQLError(error, log))
