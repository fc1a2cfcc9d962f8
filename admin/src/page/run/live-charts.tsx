import { SimpleGrid } from '@mantine/core'
import { useMemo } from 'react'
import { Chart, GRID } from '../../component/chart.tsx'
import { Section } from '../../component/state.tsx'
import type { Task } from '../../generated/graphql.ts'
import type { Point } from './live-run.ts'

type Name = 'f1' | 'precision' | 'recall' | 'accuracy' | 'loss' | 'samplesPerSecond'

const LABELS: Readonly<Record<Name, string>> = {
  f1: 'F1',
  precision: 'Precision',
  recall: 'Recall',
  accuracy: 'Accuracy',
  loss: 'Loss',
  samplesPerSecond: 'Samples/s',
}

/** Running values over the samples that were counted. */
export function LiveCharts({ points, task }: { readonly points: readonly Point[]; readonly task: Task }) {
  return (
    <Section title="While it runs">
      <SimpleGrid cols={{ base: 1, md: task === 'REGRESSION' ? 2 : 3 }}>
        {task !== 'REGRESSION' && <Lines points={points} names={['f1', 'precision', 'recall', 'accuracy']} />}
        <Lines points={points} names={['loss']} />
        <Lines points={points} names={['samplesPerSecond']} />
      </SimpleGrid>
    </Section>
  )
}

function Lines({ points, names }: { readonly points: readonly Point[]; readonly names: readonly Name[] }) {
  const option = useMemo(
    () => ({
      grid: GRID,
      legend: { top: 0 },
      xAxis: { type: 'value', name: 'samples', nameLocation: 'middle', nameGap: 26 },
      yAxis: { type: 'value', scale: true },
      series: names.map((name) => ({
        type: 'line',
        name: LABELS[name],
        showSymbol: points.length < 20,
        data: points.map(({ progress }) => [progress.samples, progress[name]]),
      })),
    }),
    [points, names.join()],
  )
  return (
    <Chart
      option={option}
      height={220}
      label={`${names.map((name) => LABELS[name]).join(', ')} over the samples so far`}
    />
  )
}
