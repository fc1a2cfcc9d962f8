import { skipToken, useQuery, useSubscription } from '@apollo/client/react'
import { useCallback, useEffect, useRef, useState } from 'react'
import {
  RunningRunsDocument,
  RunsChangedDocument,
  RunsCountDocument,
  type RunFilter,
  type RunRowFragment,
} from '../../generated/graphql.ts'
import { fetchRuns } from './fetch-runs.ts'
import { readRunSearch } from './run-search.ts'

/** What of the list is loaded. */
interface Loaded {
  readonly runs: readonly RunRowFragment[]
  readonly endCursor: string | null
  readonly hasMore: boolean
}

/** Milliseconds between two looks at how far runs are that run. */
const POLL_MS = 2000

/**
 * The list of runs that an address asks for, as far as somebody has scrolled, and live: a run that changes is replaced where it stands.
 * Pages are held here and not as one list in the cache, which would be read as a whole whenever another page comes.
 */
export function useRuns(search: URLSearchParams) {
  const question = search.toString()
  const [loaded, setLoaded] = useState<Loaded | null>(null)
  const [error, setError] = useState<Error | null>(null)
  // Answers to an older question count no more.
  const asked = useRef(0)
  const busy = useRef(false)
  const { filter, orderBy } = readRunSearch(search)
  const total = useQuery(RunsCountDocument, { variables: { filter, orderBy }, fetchPolicy: 'cache-and-network' })

  const load = useCallback(
    async (before: Loaded | null): Promise<void> => {
      const mine = before === null ? ++asked.current : asked.current
      if (before !== null && busy.current) return
      busy.current = true
      try {
        const { nodes, pageInfo } = await fetchRuns(new URLSearchParams(question), before?.endCursor ?? null)
        if (mine !== asked.current) return
        const fresh = { endCursor: pageInfo.endCursor, hasMore: pageInfo.hasNextPage }
        setLoaded((now) => ({ runs: before === null ? nodes : [...(now?.runs ?? []), ...nodes], ...fresh }))
        setError(null)
      } catch (thrown) {
        if (mine === asked.current) setError(thrown as Error)
      } finally {
        if (mine === asked.current) busy.current = false
      }
    },
    [question],
  )
  useEffect(() => {
    setLoaded(null)
    void load(null)
  }, [load])

  const change = useCallback((change: (runs: readonly RunRowFragment[]) => readonly RunRowFragment[]): void => {
    setLoaded((now) => (now === null ? null : { ...now, runs: change(now.runs) }))
  }, [])
  const known = useRef(loaded)
  known.current = loaded
  const { refetch: recount } = total
  useSubscription(RunsChangedDocument, {
    ignoreResults: true,
    onData: ({ data: { data } }) => {
      const run = data?.runsChanged
      if (run === undefined || known.current === null) return
      const { runs } = known.current
      if (runs.some(({ id }) => id === run.id)) change((now) => now.map((each) => (each.id === run.id ? run : each)))
      else if (orderBy === null && isAmong(filter, run) && (runs[0] === undefined || run.id > runs[0].id)) {
        // A new one: ids grow with time, and the newest is the first. Where it belongs in another order, only the server knows.
        change((now) => [run, ...now])
        void recount()
      }
    },
  })
  const isLive = loaded?.runs.some(({ status }) => status === 'RUNNING') === true
  const running = useQuery(
    RunningRunsDocument,
    isLive ? { pollInterval: POLL_MS, fetchPolicy: 'network-only' } : skipToken,
  )
  useEffect(() => {
    const now = new Map(running.data?.runs.nodes.map((run) => [run.id, run]))
    if (now.size > 0) change((runs) => runs.map((run) => ({ ...run, ...now.get(run.id) })))
  }, [running.data, change])

  return {
    runs: loaded?.runs ?? null,
    total: total.data?.runs.totalCount,
    error,
    more: useCallback(() => {
      if (known.current?.hasMore === true) void load(known.current)
    }, [load]),
    again: () => void load(null),
    /** Takes runs out that were deleted. */
    forget: (ids: readonly string[]) => {
      change((runs) => runs.filter(({ id }) => !ids.includes(id)))
      void recount()
    },
  }
}

/** Whether a filter lets a run through, as the server would say it. */
function isAmong({ modelId, checkpointId, datasetId, status, name }: RunFilter, run: RunRowFragment): boolean {
  return (
    (modelId == null || modelId === run.model.id) &&
    (checkpointId == null || checkpointId === run.checkpoint.id) &&
    (datasetId == null || datasetId === run.dataset.id) &&
    (status == null || status.includes(run.status)) &&
    (name == null || run.name?.toLowerCase().includes(name.toLowerCase()) === true)
  )
}
