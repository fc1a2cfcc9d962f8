import { useApolloClient, useQuery } from '@apollo/client/react'
import { useEffect, useRef, useState } from 'react'
import { useRunEvents, type RunEvent } from '../../api/run-events.ts'
import {
  RunHistoryDocument,
  RunLiveFragmentDoc,
  RunLogDocument,
  type ProgressPartsFragment,
  type RunLogQuery,
  type RunPageQuery,
  type RunStatus,
} from '../../generated/graphql.ts'

/** A point of the charts: the progress at a moment. */
export interface Point {
  readonly seq: number
  readonly at: number
  readonly progress: ProgressPartsFragment
}

/** A line of the log. */
export type Line = NonNullable<RunLogQuery['run']>['log'][number]

/** Milliseconds between two drawings, however fast events come: the eye follows no faster, and the processor is the reader's. */
const DRAW_MS = 1000

/** Points that charts keep; from twice as many, every second one goes. */
const POINTS = 400
const LINES = 1000

/** Whether a run has ended. */
export const isOver = (status: RunStatus): boolean => status !== 'QUEUED' && status !== 'RUNNING'

/**
 * What a run does while it runs: its progress from the beginning, its log, its state in the cache. After a reload the past comes from the
 * database, and what follows it by subscription.
 */
export function useLiveRun(run: NonNullable<RunPageQuery['run']>, onEnd: () => void) {
  const client = useApolloClient()
  const live = !isOver(run.status)
  const history = useQuery(RunHistoryDocument, {
    variables: { id: run.id, points: POINTS },
    fetchPolicy: 'cache-and-network',
  })
  const log = useQuery(RunLogDocument, { variables: { id: run.id }, fetchPolicy: 'cache-and-network' })
  const [points, setPoints] = useState<readonly Point[]>([])
  const [lines, setLines] = useState<readonly Line[]>([])
  const [failure, setFailure] = useState<Error | null>(null)
  const waiting = useRef<RunEvent[]>([])

  const flush = (): void => {
    const events = waiting.current.splice(0)
    const last = events.at(-1)
    if (last === undefined) return
    client.cache.writeFragment({
      id: client.cache.identify({ __typename: 'Run', id: run.id })!,
      fragment: RunLiveFragmentDoc,
      fragmentName: 'RunLive',
      data: { ...last.run, seq: last.seq },
    })
    setPoints((before) => thinned([...before, ...events.flatMap(pointOf)]))
    setLines((before) => [...before, ...events.flatMap(({ log: line }) => line ?? [])].slice(-LINES))
  }
  useEffect(() => {
    if (!live) return
    const timer = setInterval(flush, DRAW_MS)
    return () => clearInterval(timer)
  }, [live, run.id])
  useRunEvents(
    live ? run.id : null,
    run.seq,
    (event) => waiting.current.push(event),
    (error) => {
      flush()
      if (error === null) onEnd()
      else setFailure(error)
    },
  )
  const past = (history.data?.run?.progressHistory ?? []).map(({ seq, at, progress }) => ({
    seq,
    at: Date.parse(at),
    progress,
  }))
  const lastPast = past.at(-1)?.seq ?? -1
  const pastLines = log.data?.run?.log ?? []
  const lastLine = pastLines.at(-1)?.at ?? ''
  return {
    points: [...past, ...points.filter(({ seq }) => seq > lastPast)],
    lines: [
      ...pastLines,
      ...lines.filter(({ at, message }) => at > lastLine || !pastLines.some((line) => line.message === message)),
    ],
    failure,
  }
}

const pointOf = ({ kind, seq, at, progress }: RunEvent): Point[] =>
  kind === 'PROGRESS' && progress !== null ? [{ seq, at: Date.parse(at), progress }] : []

function thinned(points: readonly Point[]): readonly Point[] {
  return points.length < 2 * POINTS ? points : points.filter((_, i) => i % 2 === 1 || i === points.length - 1)
}
