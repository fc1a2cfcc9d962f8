import { Text } from '@mantine/core'
import { useCallback, useState } from 'react'
import { Link, useSearchParams } from 'react-router'
import { DataTable, type Column } from '../../component/data-table.tsx'
import { count, duration } from '../../component/format.ts'
import { PageTitle } from '../../component/page-title.tsx'
import { Empty, Failure, Loading } from '../../component/state.tsx'
import { Moment, Status, Value } from '../../component/text.tsx'
import type { RunRowFragment } from '../../generated/graphql.ts'
import { BulkActions } from './bulk-actions.tsx'
import { ModelTrends } from './model-trends.tsx'
import { RunFilters } from './run-filters.tsx'
import { nextOrder, readRunSearch } from './run-search.ts'
import { useRuns } from './use-runs.ts'

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
      <Link className="link" to={`/runs/${run.id}`}>
        {run.name ?? run.id.slice(-12)}
      </Link>
    ),
  },
  {
    id: 'status',
    header: 'Status',
    width: '128px',
    cell: (run) => (
      <>
        <Status status={run.status} />
        {run.status === 'RUNNING' && ` ${Math.floor((100 * run.samples) / Math.max(1, run.total))} %`}
      </>
    ),
  },
  { id: 'model', header: 'Model', width: 'minmax(80px, 1.2fr)', from: 600, cell: (run) => run.model.name },
  {
    id: 'checkpoint',
    header: 'Checkpoint',
    width: 'minmax(80px, 1.4fr)',
    from: 900,
    cell: (run) => (
      <Link className="link" to={`/checkpoints/${run.checkpoint.id}`}>
        {run.checkpoint.name}
      </Link>
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
  const { runs, total, error, more, again, forget } = useRuns(query)
  const { orderBy } = readRunSearch(query)
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const toggle = useCallback(
    (id: string): void =>
      setChosen((before) => {
        const after = new Set(before)
        if (!after.delete(id)) after.add(id)
        return after
      }),
    [],
  )
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
          {total === undefined ? ' ' : `${count(total)} ${total === 1 ? 'run' : 'runs'}`}
        </Text>
      </PageTitle>
      <ModelTrends />
      <RunFilters query={query} setQuery={setQuery} />
      {chosen.size > 0 && (
        <BulkActions
          runs={(runs ?? []).filter(({ id }) => chosen.has(id))}
          onDone={(deleted) => {
            setChosen(new Set())
            if (deleted.length > 0) forget(deleted)
          }}
        />
      )}
      {error !== null && <Failure error={error} retry={again} />}
      {runs === null ? (
        error === null && <Loading />
      ) : runs.length === 0 ? (
        <Empty title={query.size === 0 ? 'There are no runs yet' : 'No run is like this'}>
          <Text size="sm">A run evaluates a checkpoint on a dataset.</Text>
          <Link className="link" to="/start">
            Start a run
          </Link>
        </Empty>
      ) : (
        <DataTable
          label="Runs"
          rows={runs}
          keyOf={keyOfRun}
          columns={COLUMNS}
          height="calc(100vh - 220px)"
          total={total}
          onEnd={more}
          order={orderBy === null ? null : { column: orderBy.metric, descending: orderBy.direction !== 'ASC' }}
          onOrder={orderByColumn}
          orderable={METRICS}
          selection={{ chosen, toggle, label: labelOfChoice }}
        />
      )}
    </>
  )
}

const keyOfRun = ({ id }: RunRowFragment): string => id
const labelOfChoice = ({ id, name }: RunRowFragment): string => `Choose run ${name ?? id}`
