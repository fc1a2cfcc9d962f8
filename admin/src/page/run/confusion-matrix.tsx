import { SegmentedControl, SimpleGrid, Text } from '@mantine/core'
import { useMemo, useState } from 'react'
import { Link, useNavigate } from 'react-router'
import { Chart } from '../../component/chart.tsx'
import { DataTable, type Column } from '../../component/data-table.tsx'
import { count, shown } from '../../component/format.ts'
import { Section } from '../../component/state.tsx'
import type { RunPageQuery } from '../../generated/graphql.ts'

type Scale = 'counts' | 'rows' | 'columns'

interface Cell {
  readonly truth: number
  readonly predicted: number
  readonly samples: number
  readonly share: number | null
}

/** Classes up to which cells have their numbers in them. */
const LABELLED = 20

/**
 * Rows are true classes, columns predicted ones. Drawn so that one can zoom in, and as a table of its cells, which a keyboard reaches; both
 * lead to the samples of a cell.
 */
export function ConfusionMatrix({
  run,
  matrix,
  names,
  label,
}: {
  readonly run: NonNullable<RunPageQuery['run']>
  readonly matrix: readonly (readonly number[])[]
  readonly names: readonly string[]
  /** The label that the matrix is of, absent and present. */
  readonly label?: string
}) {
  const [scale, setScale] = useState<Scale>('counts')
  const navigate = useNavigate()
  const canOpen = run.keepsSamples
  const target = ({ truth, predicted }: Cell): string => {
    const chosen: Readonly<Record<string, string>> =
      label === undefined
        ? { true: names[truth]!, predicted: names[predicted]! }
        : { [truth === 1 ? 'true' : 'nottrue']: label, [predicted === 1 ? 'predicted' : 'notpredicted']: label }
    return `/runs/${run.id}?${new URLSearchParams({ tab: 'samples', ...chosen }).toString()}`
  }
  const cells = useMemo(() => cellsOf(matrix, scale), [matrix, scale])
  const option = useMemo(() => optionOf(cells, names, scale), [cells, names, scale])
  const columns = useMemo<readonly Column<Cell>[]>(
    () => [
      {
        id: 'true',
        header: 'True',
        width: 'minmax(70px, 1fr)',
        cell: ({ truth }) => names[truth],
        sortBy: ({ truth }) => truth,
      },
      {
        id: 'predicted',
        header: 'Predicted',
        width: 'minmax(70px, 1fr)',
        cell: ({ predicted }) => names[predicted],
        sortBy: ({ predicted }) => predicted,
      },
      {
        id: 'samples',
        header: 'Samples',
        width: '90px',
        numeric: true,
        cell: (cell) =>
          canOpen ? (
            <Link className="link" to={target(cell)}>
              {count(cell.samples)}
            </Link>
          ) : (
            count(cell.samples)
          ),
        sortBy: ({ samples }) => samples,
      },
      {
        id: 'share',
        header: scale === 'columns' ? 'Of predicted' : 'Of true',
        width: '100px',
        numeric: true,
        cell: ({ share }) => shown(share),
        sortBy: ({ share }) => share,
      },
    ],
    [names, canOpen, scale, run.id, label],
  )
  const mistakes = useMemo(
    () =>
      cells
        .filter(({ truth, predicted, samples }) => samples > 0 && (names.length <= 2 || truth !== predicted))
        .sort((a, b) => b.samples - a.samples),
    [cells, names.length],
  )
  return (
    <Section
      title="Confusion matrix"
      actions={
        <SegmentedControl
          size="xs"
          aria-label="What cells show"
          value={scale}
          onChange={(value) => setScale(value)}
          data={[
            { value: 'counts', label: 'Samples' },
            { value: 'rows', label: 'By true class' },
            { value: 'columns', label: 'By predicted class' },
          ]}
        />
      }
    >
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Chart
          option={option}
          height={Math.min(560, 160 + 34 * names.length)}
          label={`Confusion matrix of ${names.length} classes; the table beside it has its cells`}
          onClick={({ dataIndex }) => {
            const cell = cells[dataIndex]
            if (canOpen && cell !== undefined) void navigate(target(cell))
          }}
        />
        <div>
          <Text size="sm" fw={600}>
            {names.length <= 2 ? 'Its cells' : 'What was taken for what, most often first'}
          </Text>
          {mistakes.length === 0 ? (
            <Text size="sm">No sample was taken for another class.</Text>
          ) : (
            <DataTable
              label="Cells of the confusion matrix"
              rows={mistakes}
              keyOf={({ truth, predicted }) => `${truth} ${predicted}`}
              columns={columns}
              height={420}
              rowHeight={32}
            />
          )}
        </div>
      </SimpleGrid>
    </Section>
  )
}

function cellsOf(matrix: readonly (readonly number[])[], scale: Scale): Cell[] {
  const rows = matrix.map((row) => row.reduce((sum, value) => sum + value, 0))
  const columns = matrix.map((_, k) => matrix.reduce((sum, row) => sum + row[k]!, 0))
  return matrix.flatMap((row, truth) =>
    row.map((samples, predicted) => {
      const whole = scale === 'columns' ? columns[predicted]! : rows[truth]!
      return { truth, predicted, samples, share: whole === 0 ? null : samples / whole }
    }),
  )
}

function optionOf(cells: readonly Cell[], names: readonly string[], scale: Scale): Record<string, unknown> {
  const valueOf = (cell: Cell): number | null => (scale === 'counts' ? cell.samples : cell.share)
  const highest = cells.reduce((most, cell) => Math.max(most, valueOf(cell) ?? 0), 0)
  return {
    grid: { left: 90, right: 16, top: 16, bottom: 90 },
    tooltip: {
      trigger: 'item',
      confine: true,
      formatter: ({ dataIndex }: { dataIndex: number }) => {
        const cell = cells[dataIndex]!
        return `true ${escaped(names[cell.truth]!)}, predicted ${escaped(names[cell.predicted]!)}<br>${count(cell.samples)} samples, ${shown(cell.share)}`
      },
    },
    xAxis: { type: 'category', data: names, name: 'predicted', nameLocation: 'middle', nameGap: 46 },
    yAxis: { type: 'category', data: names, inverse: true, name: 'true', nameLocation: 'middle', nameGap: 60 },
    dataZoom: [
      { type: 'inside', xAxisIndex: 0 },
      { type: 'inside', yAxisIndex: 0 },
    ],
    visualMap: {
      type: 'continuous',
      min: 0,
      max: highest === 0 ? 1 : highest,
      show: false,
      inRange: { color: ['#e7ecff', '#91a7ff', '#4263eb', '#1c2f8a'] },
    },
    series: [
      {
        type: 'heatmap',
        data: cells.map((cell) => [cell.predicted, cell.truth, valueOf(cell)]),
        progressive: 4000,
        label: {
          show: names.length <= LABELLED,
          formatter: ({ value }: { value: readonly [number, number, number | null] }) =>
            value[2] === null || value[2] === 0 ? '' : scale === 'counts' ? count(value[2]) : value[2].toFixed(3),
        },
      },
    ],
  }
}

/** The tooltip is HTML, and names are the user's. */
const escaped = (text: string): string => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
