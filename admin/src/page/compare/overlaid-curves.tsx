import { useApolloClient } from '@apollo/client/react'
import { Select, SimpleGrid } from '@mantine/core'
import { useEffect, useMemo, useState } from 'react'
import { Chart, GRID, unit } from '../../component/chart.tsx'
import { Failure, Loading, Section } from '../../component/state.tsx'
import { CompareCurvesDocument } from '../../generated/graphql.ts'
import { precisionRecallPoints, rocPoints, type Curve } from '../../component/curve-points.ts'

interface Named {
  readonly id: string
  readonly name: string
}

/** ROC and precision-recall curves of one class, of all runs over each other. */
export function OverlaidCurves({ runs }: { readonly runs: readonly Named[] }) {
  const client = useApolloClient()
  const [curves, setCurves] = useState<ReadonlyMap<string, readonly Curve[]> | null>(null)
  const [problem, setProblem] = useState<Error | null>(null)
  const [wanted, setWanted] = useState<string | null>(null)
  const ids = runs.map(({ id }) => id).join()
  useEffect(() => {
    let stale = false
    Promise.all(
      runs.map(async ({ id }) => {
        const { data } = await client.query({ query: CompareCurvesDocument, variables: { id } })
        return [id, data?.run?.scoreCurves ?? []] as const
      }),
    ).then(
      (found) => stale || setCurves(new Map(found)),
      (error: unknown) => stale || setProblem(error as Error),
    )
    return () => {
      stale = true
    }
  }, [ids, client])
  const classes = useMemo(
    () => [...new Set([...(curves?.values() ?? [])].flat().map((curve) => curve.class))],
    [curves],
  )
  const shown = wanted ?? classes.at(-1) ?? null
  const options = useMemo(() => {
    const lines = (pointsOf: (curve: Curve) => readonly (readonly [number, number])[]) =>
      runs.flatMap(({ id, name }) => {
        const curve = curves?.get(id)?.find((each) => each.class === shown)
        return curve === undefined ? [] : [{ type: 'line', name, showSymbol: false, data: pointsOf(curve) }]
      })
    const frame = { grid: GRID, legend: { top: 0, type: 'scroll' }, tooltip: { trigger: 'item', confine: true } }
    return {
      roc: {
        ...frame,
        xAxis: unit('false positive rate'),
        yAxis: { ...unit('true positive rate'), nameGap: 34 },
        series: lines(rocPoints),
      },
      pr: {
        ...frame,
        xAxis: unit('recall'),
        yAxis: { ...unit('precision'), nameGap: 34 },
        series: lines(precisionRecallPoints),
      },
    }
  }, [curves, shown, ids])
  if (problem !== null) return <Failure error={problem} />
  if (curves === null) return <Loading what="Loading the curves" />
  if (shown === null) return null
  return (
    <Section
      title="Curves"
      actions={
        classes.length > 1 && (
          <Select
            size="xs"
            aria-label="Class"
            allowDeselect={false}
            searchable
            value={shown}
            data={classes}
            onChange={setWanted}
          />
        )
      }
    >
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Chart
          option={options.roc}
          height={340}
          label={`ROC curves of ${runs.map(({ name }) => name).join(', ')} for ${shown}`}
        />
        <Chart
          option={options.pr}
          height={340}
          label={`Precision-recall curves of ${runs.map(({ name }) => name).join(', ')} for ${shown}`}
        />
      </SimpleGrid>
    </Section>
  )
}
