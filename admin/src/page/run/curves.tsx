import { useQuery } from '@apollo/client/react'
import { MultiSelect, SimpleGrid, Stack, Text } from '@mantine/core'
import { useMemo, useState } from 'react'
import { Chart, GRID, unit } from '../../component/chart.tsx'
import { Empty, Loaded, Section } from '../../component/state.tsx'
import { RunCurvesDocument, type RunCurvesQuery, type RunPageQuery } from '../../generated/graphql.ts'
import { precisionRecallPoints, rocPoints, type Curve } from '../../component/curve-points.ts'
import { ThresholdPanel } from './threshold-panel.tsx'

/** Curves that are drawn at first, where there are more. */
const DRAWN = 6

/** How scores tell classes apart, how far probabilities can be believed, and what another threshold would do. */
export function Curves({ run }: { readonly run: NonNullable<RunPageQuery['run']> }) {
  const query = useQuery(RunCurvesDocument, { variables: { id: run.id } })
  return (
    <Loaded query={query}>
      {({ run: found }) =>
        found === null || found.scoreCurves.length === 0 ? (
          <Empty title="This run has no curves" />
        ) : (
          <Stack>
            <ThresholdPanel curves={found.scoreCurves} run={run} />
            <ClassCurves curves={found.scoreCurves} />
            {found.reliability !== null && (
              <Reliability bins={found.reliability} isBinary={run.model.task === 'BINARY'} />
            )}
          </Stack>
        )
      }
    </Loaded>
  )
}

function ClassCurves({ curves }: { readonly curves: readonly Curve[] }) {
  const [chosen, setChosen] = useState<readonly string[]>(() => curves.slice(0, DRAWN).map((curve) => curve.class))
  const shown = useMemo(() => curves.filter((curve) => chosen.includes(curve.class)), [curves, chosen])
  const roc = useMemo(() => lines(shown, rocPoints, 'false positive rate', 'true positive rate'), [shown])
  const pr = useMemo(() => lines(shown, precisionRecallPoints, 'recall', 'precision'), [shown])
  return (
    <Section
      title="ROC and precision-recall"
      actions={
        curves.length > 1 && (
          <MultiSelect
            size="xs"
            aria-label="Classes that are drawn"
            value={[...chosen]}
            onChange={setChosen}
            data={curves.map((curve) => curve.class)}
            searchable
            maw={480}
          />
        )
      }
    >
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Chart
          option={roc}
          height={360}
          label={`ROC curves of ${chosen.join(', ')}; areas are in the table of classes`}
        />
        <Chart option={pr} height={360} label={`Precision-recall curves of ${chosen.join(', ')}`} />
      </SimpleGrid>
    </Section>
  )
}

function lines(
  curves: readonly Curve[],
  pointsOf: (curve: Curve) => readonly (readonly [number, number])[],
  x: string,
  y: string,
): Record<string, unknown> {
  return {
    grid: GRID,
    legend: { top: 0, type: 'scroll' },
    tooltip: { trigger: 'item', confine: true },
    xAxis: unit(x),
    yAxis: { ...unit(y), nameGap: 34 },
    series: curves.map((curve) => ({ type: 'line', name: curve.class, showSymbol: false, data: pointsOf(curve) })),
  }
}

function Reliability({
  bins,
  isBinary,
}: {
  readonly bins: NonNullable<NonNullable<RunCurvesQuery['run']>['reliability']>
  /** Bins are of the probability of the positive class, and not of that of the answer. */
  readonly isBinary: boolean
}) {
  const option = useMemo(() => {
    const there = bins.filter(({ weight }) => weight > 0)
    return {
      grid: { ...GRID, right: 48 },
      legend: { top: 0 },
      xAxis: unit(isBinary ? 'probability of the positive class' : 'confidence'),
      yAxis: [
        { ...unit(isBinary ? 'share that was positive' : 'share that was right'), nameGap: 34 },
        { type: 'value', name: 'answers', splitLine: { show: false } },
      ],
      series: [
        {
          type: 'bar',
          name: 'answers',
          yAxisIndex: 1,
          barWidth: '60%',
          itemStyle: { opacity: 0.35 },
          data: bins.map(({ low, high, weight }) => [(low + high) / 2, weight]),
        },
        { type: 'line', name: 'this model', data: there.map(({ confidence, accuracy }) => [confidence, accuracy]) },
        {
          type: 'line',
          name: 'perfect',
          showSymbol: false,
          lineStyle: { type: 'dashed' },
          data: [
            [0, 0],
            [1, 1],
          ],
        },
      ],
    }
  }, [bins, isBinary])
  return (
    <Section title="Calibration">
      <Text size="sm">A model whose probabilities can be believed lies on the dashed line.</Text>
      <Chart
        option={option}
        height={320}
        label={`Reliability diagram: ${isBinary ? 'how often samples of each probability were positive' : 'how often answers of each confidence were right'}`}
      />
    </Section>
  )
}
