import { Stack, Text } from '@mantine/core'
import { useMemo } from 'react'
import { Chart, GRID } from '../../component/chart.tsx'
import { count, shown } from '../../component/format.ts'

/** Classes that are drawn. */
const DRAWN = 40

/** How often each class occurs. */
export function ClassBalance({
  balance,
  rows,
}: {
  readonly balance: readonly { readonly label: string; readonly samples: number }[]
  readonly rows: number
}) {
  const option = useMemo(() => {
    const drawn = balance.slice(0, DRAWN)
    return {
      grid: { ...GRID, top: 12 },
      xAxis: { type: 'category', data: drawn.map(({ label }) => label) },
      yAxis: { type: 'value' },
      series: [{ type: 'bar', name: 'samples', data: drawn.map(({ samples }) => samples), barMaxWidth: 40 }],
    }
  }, [balance])
  const [most, least] = [balance[0]!, balance.at(-1)!]
  const said = `${balance.length} classes in ${count(rows)} rows; most often ${most.label} (${shown(most.samples / rows)}), least often ${least.label} (${shown(least.samples / rows)})`
  return (
    <Stack gap={4}>
      <Text size="sm">{said}.</Text>
      <Chart option={option} height={180} label={`Class balance: ${said}`} />
    </Stack>
  )
}
