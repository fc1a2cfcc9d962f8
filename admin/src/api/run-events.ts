import { print } from 'graphql'
import { useEffect, useRef } from 'react'
import {
  RunProgressDocument,
  type RunProgressSubscription,
  type RunProgressSubscriptionVariables,
} from '../generated/graphql.ts'
import { apollo, sockets } from './client.ts'

/** An event of a run, as the server numbers them. */
export type RunEvent = RunProgressSubscription['runProgress']

// With the names of types, without which the cache takes no fragment.
const QUERY = print(apollo.cache.transformDocument(RunProgressDocument))

/**
 * Watches a run from `after` on until its last event. A connection that is lost is taken up again behind the last event that came, so none is
 * missed and none comes twice.
 * @returns stops watching.
 */
export function watchRun(
  id: string,
  after: number | null,
  onEvent: (event: RunEvent) => void,
  onEnd: (error: Error | null) => void,
): () => void {
  let last = after
  // The client sends the same object again after a reconnect: the getter makes that a request for what is behind `last`.
  const variables = {
    id,
    get after() {
      return last
    },
  } satisfies RunProgressSubscriptionVariables
  return sockets.subscribe<RunProgressSubscription>(
    { query: QUERY, operationName: 'RunProgress', variables },
    {
      next: ({ data, errors }) => {
        if (errors !== undefined) onEnd(new Error(errors.map(({ message }) => message).join('\n')))
        if (data == null) return
        last = data.runProgress.seq
        onEvent(data.runProgress)
      },
      error: (error) => onEnd(asError(error)),
      complete: () => onEnd(null),
    },
  )
}

function asError(error: unknown): Error {
  if (error instanceof Error) return error
  if (Array.isArray(error)) return new Error(error.map((each: { message?: string }) => each.message ?? '').join('\n'))
  return new Error('the connection was closed')
}

/** `watchRun` while a component shows it; not at all while `id` is null. */
export function useRunEvents(
  id: string | null,
  after: number | null,
  onEvent: (event: RunEvent) => void,
  onEnd: (error: Error | null) => void,
): void {
  const handlers = useRef({ onEvent, onEnd, after })
  handlers.current = { onEvent, onEnd, after }
  useEffect(() => {
    if (id === null) return
    return watchRun(
      id,
      handlers.current.after,
      (event) => handlers.current.onEvent(event),
      (error) => handlers.current.onEnd(error),
    )
  }, [id])
}
