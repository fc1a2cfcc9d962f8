import { createClient } from 'graphql-ws/client'
import { WebSocket } from 'ws'
import { CliFailure, unreachable } from './failure.ts'

/** Connections in a row that may fail before we give up: with the waits below, about a minute. */
const RETRIES = 30
const WAIT_MS = 2_000

/**
 * A subscription over graphql-ws that survives lost connections: it subscribes again with `variables` as they are then.
 * @throws CliFailure with the code of the first GraphQL error, or PLATFORM_UNREACHABLE.
 */
export async function* subscribe<Data>(
  base: string,
  query: string,
  variables: Record<string, unknown>,
  signal: AbortSignal,
): AsyncGenerator<Data> {
  const client = createClient({
    url: `${base.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: RETRIES,
    retryWait: (retries) => new Promise((resolve) => setTimeout(resolve, Math.min(100 * 2 ** retries, WAIT_MS))),
    // Also when the first connection is refused, which graphql-ws counts as fatal.
    shouldRetry: () => true,
    connectionAckWaitTimeout: 10_000,
    keepAlive: 10_000,
  })
  const events = client.iterate<Data>({ query, variables })
  const stop = (): void => void events.return?.()
  signal.addEventListener('abort', stop)
  try {
    for await (const { data, errors } of events) {
      const [first] = errors ?? []
      if (first !== undefined) throw new CliFailure(codeOf(first.extensions), first.message)
      if (data !== null && data !== undefined) yield data
    }
    signal.throwIfAborted()
  } catch (error) {
    signal.throwIfAborted()
    throw asFailure(base, error)
  } finally {
    signal.removeEventListener('abort', stop)
    await client.dispose()
  }
}

/** graphql-ws throws arrays of GraphQL errors, close events and errors. */
function asFailure(base: string, error: unknown): unknown {
  if (error instanceof CliFailure) return error
  if (Array.isArray(error)) {
    const [first] = error as readonly { readonly message: string; readonly extensions?: unknown }[]
    if (first !== undefined) return new CliFailure(codeOf(first.extensions), first.message)
  }
  if (typeof error === 'object' && error !== null && 'code' in error && 'reason' in error) {
    return unreachable(base, new Error(`the WebSocket was closed: ${String(error.code)} ${String(error.reason)}`))
  }
  return unreachable(base, error)
}

function codeOf(extensions: unknown): string {
  const { code } = (extensions ?? {}) as { readonly code?: unknown }
  return typeof code === 'string' ? code : 'INTERNAL'
}
