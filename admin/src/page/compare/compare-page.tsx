import { skipToken, useQuery } from '@apollo/client/react'
import { Anchor, Button, Group, MultiSelect, Stack, Table, Text } from '@mantine/core'
import { lazy, Suspense, useMemo } from 'react'
import { Link, useSearchParams } from 'react-router'
import { shown } from '../../component/format.ts'
import { metricLabel } from '../../component/metric-names.ts'
import { PageTitle } from '../../component/page-title.tsx'
import { Empty, Loaded, Loading, Section } from '../../component/state.tsx'
import { Value } from '../../component/text.tsx'
import {
  CompareRunsDocument,
  RunsPageDocument,
  type CompareRunsQuery,
  type RunRowFragment,
} from '../../generated/graphql.ts'
import { Changes } from './changes.tsx'
import { WideTable } from '../../component/wide-table.tsx'

const OverlaidCurves = lazy(async () => ({ default: (await import('./overlaid-curves.tsx')).OverlaidCurves }))

type Comparison = CompareRunsQuery['compareRuns']
type Difference = Comparison['others'][number]
type Metric = Difference['metrics'][number]

const nameOf = (run: RunRowFragment): string => run.name ?? `${run.checkpoint.name} ${run.id.slice(-6)}`

/** Two to ten runs on the same data, side by side: the first is what the others are compared with. */
export function ComparePage() {
  const [search, setSearch] = useSearchParams()
  const ids = useMemo(() => (search.get('runs') ?? '').split(',').filter((id) => id !== ''), [search])
  const choices = useQuery(RunsPageDocument, {
    variables: { filter: { status: ['SUCCEEDED'] }, orderBy: null, first: 100 },
  })
  const ready = ids.length >= 2 && ids.length <= 10
  const query = useQuery(CompareRunsDocument, ready ? { variables: { ids, names: null } } : skipToken)
  const nodes = choices.data?.runs.nodes ?? []
  // Of other data there is nothing to compare with what was chosen first.
  const first = nodes.find(({ id }) => id === ids[0])
  const possible =
    first === undefined
      ? nodes
      : nodes.filter(({ dataset, model }) => dataset.id === first.dataset.id && model.task === first.model.task)
  const known = new Set(possible.map(({ id }) => id))
  const options = [
    ...possible.map((run) => ({
      value: run.id,
      label: `${nameOf(run)} on ${run.dataset.name} v${run.dataset.version}`,
    })),
    ...ids.filter((id) => !known.has(id)).map((id) => ({ value: id, label: id.slice(-12) })),
  ]
  return (
    <Stack>
      <PageTitle title="Compare runs" />
      <MultiSelect
        label="Runs"
        description="Two to ten on the same data; the first is what the others are compared with."
        placeholder={ids.length === 0 ? 'choose runs' : ''}
        searchable
        maxValues={10}
        value={[...ids]}
        data={options}
        onChange={(chosen) => setSearch(chosen.length === 0 ? {} : { runs: chosen.join(',') }, { replace: true })}
      />
      {ready ? (
        <Loaded query={query}>
          {({ compareRuns }) => (
            <Compared
              comparison={compareRuns}
              onBase={(id) => setSearch({ runs: [id, ...ids.filter((each) => each !== id)].join(',') })}
            />
          )}
        </Loaded>
      ) : (
        <Empty title="Choose at least two runs">
          <Anchor component={Link} to="/runs?status=SUCCEEDED">
            All runs that succeeded
          </Anchor>
        </Empty>
      )}
    </Stack>
  )
}

function Compared({
  comparison: { base, others },
  onBase,
}: {
  readonly comparison: Comparison
  readonly onBase: (id: string) => void
}) {
  const runs = [base, ...others.map(({ run }) => run)]
  return (
    <>
      <Section title="Metrics">
        <MetricTable base={base} others={others} onBase={onBase} />
      </Section>
      {base.model.task !== 'REGRESSION' && (
        <>
          <Section title="Is the difference more than chance?">
            <Stack gap={4}>
              {others.map(({ run, mcNemar }) => (
                <Text key={run.id} size="sm" data-mcnemar={run.id}>
                  <b>{nameOf(run)}</b>:{' '}
                  {mcNemar === null ? (
                    'its samples are not kept, so there is no test.'
                  ) : (
                    <>
                      fixes {mcNemar.fixed} samples and breaks {mcNemar.broken}; McNemar’s{' '}
                      {mcNemar.exact ? 'exact ' : ''}test gives p = <Value value={mcNemar.pValue} />
                      {mcNemar.pValue < 0.05
                        ? `: ${mcNemar.fixed > mcNemar.broken ? 'better' : 'worse'} by more than chance.`
                        : ': that may well be chance.'}
                    </>
                  )}
                </Text>
              ))}
            </Stack>
          </Section>
          <Suspense fallback={<Loading />}>
            <OverlaidCurves runs={runs.map((run) => ({ id: run.id, name: nameOf(run) }))} />
          </Suspense>
          {others
            .filter(({ run }) => base.keepsSamples && run.keepsSamples)
            .map(({ run }) => (
              <Changes key={run.id} base={base} other={run} title={nameOf(run)} />
            ))}
        </>
      )}
    </>
  )
}

const keyOf = ({ name, average }: Metric): string => `${name} ${average ?? ''}`

function MetricTable({
  base,
  others,
  onBase,
}: {
  readonly base: Comparison['base']
  readonly others: readonly Difference[]
  readonly onBase: (id: string) => void
}) {
  const whole = (others[0]?.metrics ?? []).filter(
    (metric) => metric.class === null && (metric.average === null || metric.average === 'macro'),
  )
  return (
    <WideTable label="Metrics of the runs" minWidth={320 + 220 * others.length}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Metric</Table.Th>
          <Table.Th className="numbers">
            <Anchor component={Link} to={`/runs/${base.id}`} inherit>
              {nameOf(base)}
            </Anchor>
          </Table.Th>
          {others.map(({ run }) => (
            <Table.Th key={run.id} className="numbers">
              <Group gap={6} justify="flex-end">
                <Anchor component={Link} to={`/runs/${run.id}`} inherit>
                  {nameOf(run)}
                </Anchor>
                <Button
                  size="compact-xs"
                  variant="default"
                  onClick={() => onBase(run.id)}
                  aria-label={`${nameOf(run)} as base`}
                >
                  as base
                </Button>
              </Group>
            </Table.Th>
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {whole.map((metric) => (
          <Table.Tr key={keyOf(metric)}>
            <Table.Th scope="row">{metricLabel(metric.name)}</Table.Th>
            <Table.Td className="numbers">
              <Value value={metric.base} />
            </Table.Td>
            {others.map(({ run, metrics }) => {
              const found = metrics.find((each) => each.class === null && keyOf(each) === keyOf(metric))
              return (
                <Table.Td key={run.id} className="numbers">
                  {found === undefined ? '—' : <Cell metric={found} />}
                </Table.Td>
              )
            })}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </WideTable>
  )
}

function Cell({ metric: { other, difference, interval, reason } }: { readonly metric: Metric }) {
  const certain = interval !== null && (interval.low > 0 || interval.high < 0)
  return (
    <>
      <Value value={other} />
      <Text size="xs" fw={certain ? 700 : 400} c={certain ? undefined : 'dimmed'} title={reason ?? undefined}>
        {difference === null ? '' : `${difference > 0 ? '+' : ''}${shown(difference)}`}
        {interval !== null && ` (${shown(interval.low)} to ${shown(interval.high)})`}
      </Text>
    </>
  )
}
