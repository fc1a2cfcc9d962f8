import { Group, NumberInput, Paper, Select, SimpleGrid, Slider, Stack, Text } from '@mantine/core'
import { useMemo, useState } from 'react'
import { Chart, GRID, lineAt, unit } from '../../component/chart.tsx'
import { count } from '../../component/format.ts'
import { Section } from '../../component/state.tsx'
import { Value } from '../../component/text.tsx'
import type { RunPageQuery } from '../../generated/graphql.ts'
import { judged, pointAt, type Curve } from '../../component/curve-points.ts'
import { ScoreHistogram } from './score-histogram.tsx'

/** What another threshold would do, at once: from the histograms of scores that the run has kept. */
export function ThresholdPanel({
  curves,
  run,
}: {
  readonly curves: readonly Curve[]
  readonly run: NonNullable<RunPageQuery['run']>
}) {
  const [index, setIndex] = useState(0)
  const [threshold, setThreshold] = useState(run.configuration.threshold)
  const [costRatio, setCostRatio] = useState(run.configuration.metrics.costRatio)
  const curve = curves[index]!
  const point = pointAt(curve, threshold)
  const now = judged(point, costRatio)
  const sweep = useMemo(() => sweepOf(curve, costRatio), [curve, costRatio])
  const option = useMemo(
    () => ({
      ...sweep,
      series: sweep.series.map((series, i) => (i > 0 ? series : { ...series, markLine: lineAt(threshold) })),
    }),
    [sweep, threshold],
  )
  const values: readonly (readonly [string, string, number | null])[] = [
    ['precision', 'Precision', now.precision],
    ['recall', 'Recall', now.recall],
    ['f1', 'F1', now.f1],
    ['specificity', 'Specificity', now.specificity],
    ['accuracy', 'Accuracy', now.accuracy],
    ['cost', 'Cost', now.cost],
  ]
  return (
    <Section title="Threshold">
      <Group align="flex-end">
        {curves.length > 1 && (
          <Select
            label="Class against the others"
            size="xs"
            allowDeselect={false}
            searchable
            value={String(index)}
            onChange={(value) => setIndex(Number(value))}
            data={curves.map((each, i) => ({ value: String(i), label: each.class }))}
          />
        )}
        <NumberInput
          label="A missed positive costs"
          description="where a false alarm costs 1"
          size="xs"
          w={190}
          min={0}
          step={0.5}
          value={costRatio}
          onChange={(value) => setCostRatio(typeof value === 'number' ? value : 1)}
        />
      </Group>
      <Stack gap={4}>
        <Text size="sm" component="label" id="threshold-label">
          Positive from a probability of {threshold.toFixed(3)}
        </Text>
        <Slider
          thumbProps={{ 'aria-labelledby': 'threshold-label' }}
          min={0}
          max={1}
          step={0.001}
          value={threshold}
          onChange={setThreshold}
          label={(value) => value.toFixed(3)}
        />
      </Stack>
      <SimpleGrid cols={{ base: 2, sm: 3, md: 6 }} spacing="xs" aria-live="polite">
        {values.map(([id, name, value]) => (
          <Paper key={id} withBorder p="xs" data-threshold-metric={id}>
            <Text size="xs" c="dimmed">
              {name}
            </Text>
            <Text fw={700}>
              <Value value={value} reason="nothing is called so, or nothing is so" />
            </Text>
          </Paper>
        ))}
      </SimpleGrid>
      <Text size="sm">
        {count(point.truePositives)} true and {count(point.falsePositives)} false positives,{' '}
        {count(point.falseNegatives)} missed, {count(point.trueNegatives)} true negatives.
      </Text>
      <ScoreHistogram curve={curve} threshold={threshold} />
      <Chart option={option} height={280} label="Precision, recall, F1 and cost at every threshold" />
    </Section>
  )
}

function sweepOf(curve: Curve, costRatio: number) {
  const judgedPoints = curve.points.map((point) => ({ threshold: point.threshold, ...judged(point, costRatio) }))
  const line = (name: string, pick: (each: (typeof judgedPoints)[number]) => number | null) => ({
    type: 'line',
    name,
    showSymbol: false,
    data: judgedPoints.map((each) => [each.threshold, pick(each)]),
  })
  return {
    grid: GRID,
    legend: { top: 0 },
    xAxis: unit('threshold'),
    yAxis: { type: 'value', min: 0 },
    series: [
      line('Precision', ({ precision }) => precision),
      line('Recall', ({ recall }) => recall),
      line('F1', ({ f1 }) => f1),
      line('Cost', ({ cost }) => cost),
    ],
  }
}
