import { useQuery } from '@apollo/client/react'
import { Anchor, Select, Stack, Text } from '@mantine/core'
import { useMemo, useState } from 'react'
import { Link } from 'react-router'
import { DataTable, type Column } from '../../component/data-table.tsx'
import { metricLabel } from '../../component/metric-names.ts'
import { Loaded, Section } from '../../component/state.tsx'
import { Value } from '../../component/text.tsx'
import {
  RunClassesDocument,
  type MetricPartsFragment,
  type RunClassesQuery,
  type RunPageQuery,
} from '../../generated/graphql.ts'
import { ConfusionMatrix } from './confusion-matrix.tsx'

type Page = NonNullable<RunPageQuery['run']>

/** What a run says of each class: the confusion matrix, and metrics class by class. */
export function Classes({ run }: { readonly run: Page }) {
  const query = useQuery(RunClassesDocument, { variables: { id: run.id } })
  return (
    <Loaded query={query}>
      {({ run: found }) => (
        <Stack>
          <Matrix run={run} confusion={found?.confusionMatrix} />
          <ClassTable run={run} metrics={found?.metrics ?? []} />
        </Stack>
      )}
    </Loaded>
  )
}

function Matrix({ run, confusion }: { readonly run: Page; readonly confusion: unknown }) {
  const [label, setLabel] = useState(0)
  const { task, classes } = run.model
  if (confusion == null)
    return (
      <Section title="Confusion matrix">
        <Text size="sm">The matrix of so many classes is not drawn; the table has each of them.</Text>
      </Section>
    )
  if (task !== 'MULTILABEL')
    return (
      <ConfusionMatrix run={run} matrix={confusion as number[][]} names={namesOf(classes, confusion as number[][])} />
    )
  const matrices = confusion as number[][][]
  const names = namesOf(classes, matrices)
  return (
    <>
      <Select
        label="Label"
        w={240}
        allowDeselect={false}
        searchable
        value={String(label)}
        onChange={(value) => setLabel(Number(value))}
        data={names.map((name, i) => ({ value: String(i), label: name }))}
      />
      <ConfusionMatrix
        run={run}
        matrix={matrices[label]!}
        names={[`not ${names[label]!}`, names[label]!]}
        label={names[label]}
      />
    </>
  )
}

const namesOf = (classes: readonly string[], matrix: readonly unknown[]): readonly string[] =>
  matrix.map((_, i) => classes[i] ?? String(i))

interface ClassRow {
  readonly name: string
  readonly values: ReadonlyMap<string, MetricPartsFragment>
}

function ClassTable({
  run,
  metrics,
}: {
  readonly run: Page
  readonly metrics: NonNullable<RunClassesQuery['run']>['metrics']
}) {
  const { rows, columns } = useMemo(() => {
    const byClass = new Map<string, Map<string, MetricPartsFragment>>()
    for (const metric of metrics) {
      const name = metric.class ?? (metric.average === null ? (run.model.classes[1] ?? 'all') : null)
      if (name === null) continue
      const of = byClass.get(name) ?? new Map<string, MetricPartsFragment>()
      of.set(metric.name, metric)
      byClass.set(name, of)
    }
    const names = [...new Set(metrics.map(({ name }) => name))]
    const metricColumns: Column<ClassRow>[] = names.map((name, i) => ({
      id: name,
      header: metricLabel(name),
      width: 'minmax(96px, 1fr)',
      numeric: true,
      from: i < 3 ? 0 : 300 + 130 * i,
      cell: ({ values }) => <Value value={values.get(name)?.value} reason={values.get(name)?.reason} />,
      sortBy: ({ values }) => values.get(name)?.value ?? null,
    }))
    const nameColumn: Column<ClassRow> = {
      id: 'class',
      header: 'Class',
      width: 'minmax(80px, 1.5fr)',
      cell: ({ name }) =>
        run.keepsSamples ? (
          <Anchor component={Link} to={`/runs/${run.id}?tab=samples&true=${encodeURIComponent(name)}`} inherit>
            {name}
          </Anchor>
        ) : (
          name
        ),
      sortBy: ({ name }) => name,
    }
    return { rows: [...byClass].map(([name, values]) => ({ name, values })), columns: [nameColumn, ...metricColumns] }
  }, [metrics, run])
  return (
    <Section title="Class by class">
      <DataTable
        label="Metrics of each class"
        rows={rows}
        keyOf={({ name }) => name}
        columns={columns}
        rowHeight={34}
      />
    </Section>
  )
}
