import { useMemo } from 'react'
import { Chart, GRID, lineAt, unit } from '../../component/chart.tsx'
import { ratio, scoreHistogram, type Curve } from '../../component/curve-points.ts'
import { count } from '../../component/format.ts'

const RANGES = 50

/** Which probabilities samples of a class got, and which the others: shares of each, because there may be far more of the one. */
export function ScoreHistogram({ curve, threshold }: { readonly curve: Curve; readonly threshold: number }) {
  const { series, positives, negatives } = useMemo(() => {
    const histogram = scoreHistogram(curve, RANGES)
    const bars = (name: string, counts: readonly number[]) => {
      const all = counts.reduce((sum, each) => sum + each, 0)
      const data = counts.map((each, i) => [(i + 0.5) / RANGES, ratio(each, all) ?? 0])
      return { all, series: { type: 'bar', name, data, barGap: '-100%', itemStyle: { opacity: 0.6 } } }
    }
    const is = bars(`is ${curve.class}`, histogram.positives)
    const not = bars('is not', histogram.negatives)
    return { series: [is.series, not.series] as const, positives: is.all, negatives: not.all }
  }, [curve])
  const option = useMemo(
    () => ({
      grid: GRID,
      legend: { top: 0 },
      xAxis: unit(`probability of ${curve.class}`),
      yAxis: { type: 'value', min: 0 },
      series: [{ ...series[0], markLine: lineAt(threshold) }, series[1]],
    }),
    [series, threshold, curve.class],
  )
  return (
    <Chart
      option={option}
      height={220}
      label={`Probabilities that ${count(positives)} samples of ${curve.class} got, and ${count(negatives)} others`}
    />
  )
}
