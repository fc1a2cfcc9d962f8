import { Box, useComputedColorScheme } from '@mantine/core'
import { BarChart, HeatmapChart, LineChart, ScatterChart } from 'echarts/charts'
import {
  AriaComponent,
  DataZoomComponent,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TooltipComponent,
  VisualMapComponent,
} from 'echarts/components'
import { init, use, type EChartsCoreOption, type EChartsType } from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'
import { useEffect, useRef } from 'react'

use([
  AriaComponent,
  BarChart,
  CanvasRenderer,
  DataZoomComponent,
  GridComponent,
  HeatmapChart,
  LegendComponent,
  LineChart,
  MarkLineComponent,
  ScatterChart,
  TooltipComponent,
  VisualMapComponent,
])

/** What of a chart was clicked: indices into the data of its series. */
export interface ChartClick {
  readonly seriesIndex: number
  readonly dataIndex: number
}

/** A chart. Its numbers are somewhere else on the page too, as text: `label` says to a screen reader what it shows. */
export function Chart({
  option,
  label,
  height = 260,
  onClick,
}: {
  readonly option: EChartsCoreOption
  readonly label: string
  readonly height?: number | undefined
  readonly onClick?: ((click: ChartClick) => void) | undefined
}) {
  const box = useRef<HTMLDivElement>(null)
  const chart = useRef<EChartsType | null>(null)
  const click = useRef(onClick)
  click.current = onClick
  const scheme = useComputedColorScheme('light')
  const drawn = useRef(option)
  drawn.current = option

  useEffect(() => {
    const made = init(box.current, scheme === 'dark' ? 'dark' : null)
    chart.current = made
    made.on('click', (event) => click.current?.(event as unknown as ChartClick))
    made.setOption(complete(drawn.current))
    const observer = new ResizeObserver(() => made.resize())
    observer.observe(box.current!)
    return () => {
      observer.disconnect()
      made.dispose()
      chart.current = null
    }
  }, [scheme])
  useEffect(() => {
    chart.current?.setOption(complete(option), { replaceMerge: ['series'] })
  }, [option])
  return <Box ref={box} h={height} w="100%" role="img" aria-label={label} />
}

/** Colours that those can tell apart who see few (Okabe and Ito), dark enough for both backgrounds. */
export const COLOURS = [
  '#4c6ef5',
  '#e8590c',
  '#0ca678',
  '#be4bdb',
  '#e0a800',
  '#228be6',
  '#f06595',
  '#868e96',
  '#5c940d',
  '#a65628',
]

const complete = (option: EChartsCoreOption): EChartsCoreOption => ({
  animation: false,
  backgroundColor: 'transparent',
  color: COLOURS,
  tooltip: { trigger: 'axis', confine: true },
  ...option,
})

/** The frame of most charts. */
export const GRID = { left: 48, right: 16, top: 32, bottom: 40 } as const

/** An axis from 0 to 1 with a name. */
export const unit = (name: string): Record<string, unknown> => ({
  type: 'value',
  name,
  nameLocation: 'middle',
  nameGap: 28,
  min: 0,
  max: 1,
})

/** A line from top to bottom, of a series. */
export const lineAt = (x: number): Record<string, unknown> => ({
  symbol: 'none',
  silent: true,
  label: { show: false },
  data: [{ xAxis: x }],
})
