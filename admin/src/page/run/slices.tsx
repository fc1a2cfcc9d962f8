import { useQuery } from '@apollo/client/react'
import { Anchor, Stack } from '@mantine/core'
import { useMemo } from 'react'
import { Link } from 'react-router'
import { Chart, GRID } from '../../component/chart.tsx'
import { DataTable, type Column } from '../../component/data-table.tsx'
import { count, shown } from '../../component/format.ts'
import { metricLabel } from '../../component/metric-names.ts'
import { Empty, Loaded, Section } from '../../component/state.tsx'
import { Value } from '../../component/text.tsx'
import { RunSlicesDocument, type RunPageQuery, type RunSlicesQuery } from '../../generated/graphql.ts'

type Slice = NonNullable<RunSlicesQuery['run']>['slices'][number]

/** Slices that are drawn of each key; the table has all. */
const DRAWN = 15

/** Parts of the samples, the worst first. */
export function Slices({ run }: { readonly run: NonNullable<RunPageQuery['run']> }) {
  const query = useQuery(RunSlicesDocument, { variables: { id: run.id } })
  return (
    <Loaded query={query}>
      {({ run: found }) => {
        const slices = found?.slices ?? []
        const keys = [...new Set(slices.map(({ key }) => key))]
        if (keys.length === 0) return <Empty title="This run has no slices" />
        return (
          <Stack>
            {keys.map((key) => (
              <OfKey key={key} name={key} slices={slices.filter((slice) => slice.key === key)} run={run} />
            ))}
          </Stack>
        )
      }}
    </Loaded>
  )
}

function OfKey({
  name,
  slices,
  run,
}: {
  readonly name: string
  readonly slices: readonly Slice[]
  readonly run: NonNullable<RunPageQuery['run']>
}) {
  const first = slices[0]!.metrics[0]
  const columns = useMemo<readonly Column<Slice>[]>(
    () => [
      {
        id: 'value',
        header: name,
        width: 'minmax(90px, 2fr)',
        cell: ({ key, value }) =>
          run.keepsSamples ? (
            <Anchor
              component={Link}
              inherit
              to={`/runs/${run.id}?tab=samples&slice=${encodeURIComponent(key)}&value=${encodeURIComponent(value)}`}
            >
              {value}
            </Anchor>
          ) : (
            value
          ),
        sortBy: ({ value }) => value,
      },
      {
        id: 'samples',
        header: 'Samples',
        width: '90px',
        numeric: true,
        cell: ({ samples }) => count(samples),
        sortBy: ({ samples }) => samples,
      },
      ...slices[0]!.metrics.map(({ name: metric }, i) => ({
        id: metric,
        header: metricLabel(metric),
        width: 'minmax(90px, 1fr)',
        numeric: true,
        from: i === 0 ? 0 : 350 + 110 * i,
        cell: ({ metrics }: Slice) => {
          const found = metrics.find((each) => each.name === metric)
          return <Value value={found?.value} reason={found?.reason} />
        },
        sortBy: ({ metrics }: Slice) => metrics.find((each) => each.name === metric)?.value ?? null,
      })),
    ],
    [slices, name, run],
  )
  const option = useMemo(() => {
    const drawn = slices.slice(0, DRAWN)
    const of = ({ metrics }: Slice) => metrics.find((each) => each.name === first?.name)
    return {
      grid: { ...GRID, left: 120 },
      tooltip: { trigger: 'item', confine: true },
      xAxis: { type: 'value', name: metricLabel(first?.name ?? ''), nameLocation: 'middle', nameGap: 26 },
      yAxis: { type: 'category', inverse: true, data: drawn.map(({ value }) => value) },
      series: [
        { type: 'bar', data: drawn.map((slice) => of(slice)?.value ?? null), barMaxWidth: 18 },
        ...(['low', 'high'] as const).map((end) => ({
          type: 'scatter',
          symbol: 'rect',
          symbolSize: [2, 14],
          color: '#868e96',
          data: drawn.map((slice, i) => [of(slice)?.interval?.[end] ?? null, i]),
        })),
      ],
    }
  }, [slices, first?.name])
  return (
    <Section title={`By ${name}`}>
      <Chart
        option={option}
        height={80 + 26 * Math.min(DRAWN, slices.length)}
        label={`${metricLabel(first?.name ?? '')} of the slices of ${name}, the worst first, worst ${slices[0]!.value} with ${shown(first?.value)}`}
      />
      <DataTable
        label={`Slices by ${name}`}
        rows={slices}
        keyOf={({ value }) => value}
        columns={columns}
        rowHeight={34}
        height={400}
      />
    </Section>
  )
}
