import { useQuery } from '@apollo/client/react'
import { Paper, SimpleGrid, Text } from '@mantine/core'
import { metricLabel } from '../../component/metric-names.ts'
import { shown } from '../../component/format.ts'
import { Loaded } from '../../component/state.tsx'
import { Value } from '../../component/text.tsx'
import { RunSummaryDocument, type MetricPartsFragment, type RunPageQuery } from '../../generated/graphql.ts'

const FIRST = ['f1', 'precision', 'recall', 'accuracy', 'rocAuc', 'rmse', 'mae', 'r2']

/** The metrics of the whole run, the most asked for first, with their intervals. */
export function MetricCards({ run }: { readonly run: NonNullable<RunPageQuery['run']> }) {
  const query = useQuery(RunSummaryDocument, { variables: { id: run.id } })
  const rank = ({ name }: MetricPartsFragment): number => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length)
  return (
    <Loaded query={query}>
      {({ run: found }) => (
        <SimpleGrid cols={{ base: 2, sm: 3, md: 4, lg: 6 }} spacing="xs">
          {[...(found?.summary ?? [])]
            .sort((a, b) => rank(a) - rank(b))
            .map((metric) => (
              <MetricCard key={`${metric.name} ${metric.average ?? ''}`} metric={metric} />
            ))}
        </SimpleGrid>
      )}
    </Loaded>
  )
}

function MetricCard({ metric }: { readonly metric: MetricPartsFragment }) {
  const { name, average, value, reason, interval, binningError } = metric
  return (
    <Paper withBorder p="sm" data-metric={name} data-average={average ?? ''}>
      <Text size="xs" c="dimmed">
        {metricLabel(name)}
        {average === null ? '' : ` (${average})`}
      </Text>
      <Text fw={700} size="xl" style={{ fontVariantNumeric: 'tabular-nums' }}>
        <Value value={value} reason={reason} />
      </Text>
      {interval !== null && (
        <Text
          size="xs"
          c="dimmed"
          title={`95 % ${interval.method.toLowerCase()} interval: ${interval.low} to ${interval.high}`}
        >
          {shown(interval.low)} – {shown(interval.high)}
        </Text>
      )}
      {value === null && reason !== null && (
        <Text size="xs" c="dimmed">
          {reason}
        </Text>
      )}
      {binningError !== null && (
        <Text size="xs" c="dimmed">
          ± {shown(binningError)} (binned)
        </Text>
      )}
    </Paper>
  )
}
