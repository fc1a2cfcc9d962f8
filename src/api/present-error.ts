import { randomUUID } from 'node:crypto'
import { GraphQLError } from 'graphql'
import type { Logger } from 'pino'
import { AppError, ERROR_CODES, type ErrorCode } from '../error.ts'

/** An error as a client may see it. */
export interface PresentedError {
  readonly code: ErrorCode
  readonly message: string
  /** Finds an INTERNAL error in the log. */
  readonly id?: string
}

/** What Apollo Server's own codes are in ours. */
const APOLLO_CODES: Readonly<Record<string, ErrorCode>> = {
  BAD_REQUEST: 'BAD_INPUT',
  BAD_USER_INPUT: 'QUERY_INVALID',
  GRAPHQL_PARSE_FAILED: 'QUERY_INVALID',
  GRAPHQL_VALIDATION_FAILED: 'QUERY_INVALID',
  OPERATION_RESOLUTION_FAILURE: 'QUERY_INVALID',
  PERSISTED_QUERY_NOT_FOUND: 'QUERY_INVALID',
  PERSISTED_QUERY_NOT_SUPPORTED: 'QUERY_INVALID',
}

/** Anything that was thrown outside of GraphQL: an `AppError` as it is, the rest masked and logged with an id. */
export function presentThrown(error: unknown, log: Logger): PresentedError {
  return error instanceof AppError ? { code: error.code, message: error.message } : mask(error, log)
}

/**
 * An error of a GraphQL response: an `AppError` with its code, a fault of the request with QUERY_INVALID or QUERY_TOO_COMPLEX,
 * and everything else masked and logged with an id.
 */
export function presentGraphQLError(thrown: Error, log: Logger): GraphQLError {
  const error = thrown instanceof GraphQLError ? thrown : new GraphQLError(thrown.message, { originalError: thrown })
  const { code, message, id } = codeOf(error, log)
  return new GraphQLError(message, {
    nodes: error.nodes ?? null,
    source: error.source ?? null,
    positions: error.positions ?? null,
    path: error.path ?? null,
    extensions: id === undefined ? { code } : { code, id },
  })
}

function codeOf(error: GraphQLError, log: Logger): PresentedError {
  let cause: Error = error
  for (;;) {
    if (cause instanceof AppError) return { code: cause.code, message: cause.message }
    if (!(cause instanceof GraphQLError)) return mask(cause, log, error)
    const { code } = cause.extensions
    if (typeof code === 'string' && Object.hasOwn(ERROR_CODES, code))
      return { code: code as ErrorCode, message: cause.message }
    // graphql-js refuses a document with too many tokens in its parser, where no code can be given.
    if (/^Syntax Error: Document contains more tha[nt] \d+ tokens/.test(cause.message))
      return { code: 'QUERY_TOO_COMPLEX', message: cause.message.replace('Syntax Error: ', '') }
    if (cause.originalError == null) return ofRequest(error, cause, log)
    cause = cause.originalError
  }
}

/** A GraphQLError that nothing else caused: the request's fault, unless a resolver returned what its type cannot represent. */
function ofRequest(error: GraphQLError, cause: GraphQLError, log: Logger): PresentedError {
  const { code } = error.extensions
  if (typeof code === 'string' && Object.hasOwn(APOLLO_CODES, code))
    return { code: APOLLO_CODES[code]!, message: cause.message }
  const isResult = error.path !== undefined && cause.nodes === undefined
  return isResult || code === 'INTERNAL_SERVER_ERROR'
    ? mask(cause, log, error)
    : { code: 'QUERY_INVALID', message: cause.message }
}

function mask(error: unknown, log: Logger, at?: GraphQLError): PresentedError {
  const id = randomUUID()
  log.error(
    { err: error, errorId: id, ...(at?.path === undefined ? {} : { path: at.path.join('.') }) },
    'an unexpected error was masked',
  )
  return { code: 'INTERNAL', message: `Something failed on the server; the log has it under the id ${id}.`, id }
}
