import { skipToken, useApolloClient, useQuery, useSubscription } from '@apollo/client/react'
import { Anchor, Group, Text } from '@mantine/core'
import { useCallback, useMemo, useRef, useState } from 'react'
import { Link, useSearchParams } from 'react-router'
import { count, duration } from '../../component/format.ts'
import { DataTable, type Column } from '../../component/data-table.tsx'
import { PageTitle } from '../../component/page-title.tsx'
import { Empty, Loaded } from '../../component/state.tsx'
import { Moment, Status, Value } from '../../component/text.tsx'
import {
  RunningRunsDocument,
  RunsChangedDocument,
  RunsCountDocument,
  RunsPageDocument,
  type RunRowFragment,
} from '../../generated/graphql.ts'
import { BulkActions } from './bulk-actions.tsx'
import { ModelTrends } from './model-trends.tsx'
import { RunFilters } from './run-filters.tsx'
import { askForRuns, nextOrder } from './run-search.ts'

/** Columns that the server orders by. */
const METRICS = new Set(['f1', 'accuracy', 'precision', 'recall', 'rocAuc', 'logLoss', 'rmse', 'r2'])

const metric = (id: string, header: string, from: number): Column<RunRowFragment> => ({
  id,
  header,
  width: '92px',
  numeric: true,
  from,
  cell: (run) => <Value value={run.summary.find(({ name }) => name === id)?.value} reason="the run has none" />,
})

const COLUMNS: readonly Column<RunRowFragment>[] = [
  {
    id: 'name',
    header: 'Run',
    width: 'minmax(110px, 2fr)',
    cell: (run) => (
      <Anchor component={Link} to={`/runs/${run.id}`} inherit>
        {run.name ?? run.id.slice(-12)}
      </Anchor>
    ),
  },
  {
    id: 'status',
    header: 'Status',
    width: '128px',
    cell: (run) => (
      <Group gap={6} wrap="nowrap">
        <Status status={run.status} />
        {run.status === 'RUNNING' && (
          <Text component="span" fz="xs">
            {Math.floor((100 * run.samples) / Math.max(1, run.total))} %
          </Text>
        )}
      </Group>
    ),
  },
  { id: 'model', header: 'Model', width: 'minmax(80px, 1.2fr)', from: 600, cell: (run) => run.model.name },
  {
    id: 'checkpoint',
    header: 'Checkpoint',
    width: 'minmax(80px, 1.4fr)',
    from: 900,
    cell: (run) => (
      <Anchor component={Link} to={`/checkpoints/${run.checkpoint.id}`} inherit>
        {run.checkpoint.name}
      </Anchor>
    ),
  },
  {
    id: 'dataset',
    header: 'Dataset',
    width: 'minmax(80px, 1fr)',
    from: 1000,
    cell: (run) => `${run.dataset.name} v${run.dataset.version}`,
  },
  metric('f1', 'F1', 0),
  metric('accuracy', 'Accuracy', 560),
  metric('precision', 'Precision', 1150),
  metric('recall', 'Recall', 1150),
  metric('rocAuc', 'ROC AUC', 1300),
  metric('logLoss', 'Log loss', 1300),
  metric('rmse', 'RMSE', 1450),
  { id: 'duration', header: 'Took', width: '80px', numeric: true, from: 1250, cell: (run) => duration(run.durationMs) },
  { id: 'created', header: 'Started', width: '168px', from: 800, cell: (run) => <Moment at={run.createdAt} /> },
]

/** All runs: filtered and ordered by the address, live, loaded as far as somebody scrolls. */
export function RunsPage() {
  const [query, setQuery] = useSearchParams()
  const { variables } = useMemo(() => askForRuns(query), [query])
  const { filter, orderBy } = variables
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const client = useApolloClient()
  const page = useQuery(RunsPageDocument, { variables })
  const total = useQuery(RunsCountDocument, { variables: { filter, orderBy } })
  const runs = page.data?.runs.nodes ?? []

  const known = useRef<ReadonlySet<string>>(new Set())
  known.current = useMemo(() => new Set(runs.map(({ id }) => id)), [runs])
  useSubscription(RunsChangedDocument, {
    onData: ({ data: { data } }) => {
      // The cache has the new state already; a run that the list has not may belong into it.
      if (data != null && !known.current.has(data.runsChanged.id)) {
        void page.refetch(variables)
        void total.refetch()
      }
    },
  })
  const isLive = runs.some(({ status }) => status === 'RUNNING')
  useQuery(RunningRunsDocument, isLive ? { pollInterval: 2000, fetchPolicy: 'network-only' } : skipToken)

  const { hasNextPage = false, endCursor = null } = page.data?.runs.pageInfo ?? {}
  const loading = useRef(false)
  const { fetchMore } = page
  const more = useCallback(() => {
    if (!hasNextPage || loading.current) return
    loading.current = true
    void fetchMore({ variables: { ...variables, after: endCursor } }).finally(() => (loading.current = false))
  }, [hasNextPage, endCursor, fetchMore, variables])

  const toggle = (id: string): void =>
    setChosen((before) => {
      const after = new Set(before)
      if (!after.delete(id)) after.add(id)
      return after
    })
  const orderByColumn = (column: string): void => {
    const next = new URLSearchParams(query)
    const order = nextOrder(orderBy, column)
    if (order === null) next.delete('order')
    else next.set('order', order)
    setQuery(next, { replace: true })
  }
  return (
    <>
      <PageTitle title="Runs">
        <Text c="dimmed" size="sm" role="status">
          {total.data === undefined ? ' ' : `${count(total.data.runs.totalCount)} runs`}
        </Text>
      </PageTitle>
      <ModelTrends />
      <RunFilters query={query} setQuery={setQuery} />
      <BulkActions
        runs={runs.filter(({ id }) => chosen.has(id))}
        onDone={(deleted) => {
          setChosen(new Set())
          for (const id of deleted) client.cache.evict({ id: `Run:${id}` })
          client.cache.gc()
          if (deleted.length > 0) void total.refetch()
        }}
      />
      <Loaded query={page}>
        {() =>
          runs.length === 0 ? (
            <Empty title={query.size === 0 ? 'There are no runs yet' : 'No run is like this'}>
              <Text size="sm">A run evaluates a checkpoint on a dataset.</Text>
              <Anchor component={Link} to="/start">
                Start a run
              </Anchor>
            </Empty>
          ) : (
            <DataTable
              label="Runs"
              rows={runs}
              keyOf={({ id }) => id}
              columns={COLUMNS}
              height="calc(100vh - 220px)"
              total={total.data?.runs.totalCount}
              onEnd={more}
              order={orderBy === null ? null : { column: orderBy.metric, descending: orderBy.direction !== 'ASC' }}
              onOrder={orderByColumn}
              orderable={METRICS}
              selection={{
                chosen,
                toggle,
                label: (id) => `Choose run ${runs.find((run) => run.id === id)?.name ?? id}`,
              }}
            />
          )
        }
      </Loaded>
    </>
  )
}
