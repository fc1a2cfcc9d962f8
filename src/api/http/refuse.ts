import type { Request, Response } from 'express'
import type { ErrorCode } from '../../error.ts'
import type { PresentedError } from '../present-error.ts'

/** HTTP status of an `AppError` outside of GraphQL. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  NOT_FOUND: 404,
  CONFLICT: 409,
  LIMIT_EXCEEDED: 413,
  INTERNAL: 500,
}

/** The HTTP status of a code. */
export const statusOf = (code: ErrorCode): number => STATUS[code] ?? 400

/** Milliseconds in which a client may finish sending what will not be read. */
const LINGER_MS = 5_000

/**
 * Answers an error as JSON. It has both the shape of the REST endpoints (`code`, `message`) and GraphQL's (`message`,
 * `extensions.code`), for GraphQL clients meet it, too, when their request does not get as far as GraphQL.
 */
export function refuse(
  request: Request,
  response: Response,
  error: PresentedError,
  status = statusOf(error.code),
): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const { code, message, id } = error
  response.status(status).json({ errors: [{ code, message, extensions: id === undefined ? { code } : { code, id } }] })
  letFinish(request)
}

/**
 * Reads away for a while what the client still sends: closing the connection at once would reset it, and most clients would
 * report that instead of our answer.
 */
function letFinish(request: Request): void {
  if (request.complete || request.destroyed) return
  const timer = setTimeout(() => request.socket.destroy(), LINGER_MS)
  timer.unref()
  request.once('close', () => clearTimeout(timer))
  request.once('end', () => clearTimeout(timer))
  request.on('error', () => undefined)
  request.resume()
}
