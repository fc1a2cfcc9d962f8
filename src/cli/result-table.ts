import type { EndedRun, MetricValue, Slice } from './documents.ts'
import { grid } from './grid.ts'
import { formatCount, formatDuration, formatMetric } from './number-format.ts'

/** Matrices of more classes do not fit a terminal; `--json` has them. */
const MATRIX_CLASSES = 20
/** Per-class rows that are printed. */
const CLASS_ROWS = 50
/** Slices of a key that are printed. */
const SLICE_ROWS = 20

/** A run's result as text for a terminal: one line about the run, then tables. */
export function resultTable(run: EndedRun): string {
  return [headline(run), overall(run.metrics), perClass(run.metrics), slices(run.slices ?? []), confusion(run)]
    .filter((part) => part !== null)
    .join('\n\n')
}

function headline({ id, name, status, samples, durationMs, samplesPerSecond, device, engine }: EndedRun): string {
  const time = durationMs === null ? '' : ` in ${formatDuration(durationMs)}`
  const speed = samplesPerSecond === null ? '' : ` (${formatCount(samplesPerSecond)}/s)`
  const where = engine === null ? '' : ` on ${device ?? '?'} with ${engine}`
  return `${name ?? id} ${status}: ${formatCount(samples)} samples${time}${speed}${where}${name === null ? '' : ` · ${id}`}`
}

/** Metrics over all classes: a row each, a column for each average that there is. */
function overall(metrics: readonly MetricValue[]): string | null {
  const rows = metrics.filter((metric) => metric.class === null)
  if (rows.length === 0) return null
  const averages = distinct(rows.map(({ average }) => average))
  // Of the value where there is one, else of the macro average.
  const main = (name: string): MetricValue | undefined =>
    [null, 'macro'].flatMap((average) => rows.find((row) => row.name === name && row.average === average) ?? [])[0]
  const intervals = rows.some(({ interval }) => interval != null)
  return grid(
    ['metric', ...averages.map((average) => average ?? 'value'), ...(intervals ? ['95 %'] : [])],
    distinct(rows.map(({ name }) => name)).map((name) => [
      name,
      ...averages.map((average) => cell(rows.find((metric) => metric.name === name && metric.average === average))),
      ...(intervals ? [range(main(name))] : []),
    ]),
  )
}

/** The worst slices of each key. */
function slices(all: readonly Slice[]): string | null {
  if (all.length === 0) return null
  const names = distinct(all.flatMap(({ metrics }) => metrics.map(({ name }) => name)))
  const tables = distinct(all.map(({ key }) => key)).map((key) => {
    const own = all.filter((slice) => slice.key === key)
    const table = grid(
      [key, 'samples', ...names],
      own
        .slice(0, SLICE_ROWS)
        .map(({ value, samples, metrics }) => [
          value,
          formatCount(samples),
          ...names.map((name) => formatMetric(metrics.find((metric) => metric.name === name)?.value ?? null)),
        ]),
    )
    const hidden = own.length - SLICE_ROWS
    return hidden > 0 ? `${table}\n… and ${formatCount(hidden)} better slices (--json has all)` : table
  })
  return tables.join('\n\n')
}

function perClass(metrics: readonly MetricValue[]): string | null {
  const rows = metrics.filter((metric) => metric.class !== null)
  if (rows.length === 0) return null
  const names = distinct(rows.map(({ name }) => name))
  const classes = distinct(rows.map((metric) => metric.class))
  const table = grid(
    ['class', ...names],
    classes
      .slice(0, CLASS_ROWS)
      .map((className) => [
        className ?? '',
        ...names.map((name) => cell(rows.find((metric) => metric.name === name && metric.class === className))),
      ]),
  )
  const hidden = classes.length - CLASS_ROWS
  return hidden > 0 ? `${table}\n… and ${formatCount(hidden)} more classes (--json has all)` : table
}

function confusion({ confusionMatrix: matrix, model: { classes } }: EndedRun): string | null {
  if (matrix === null || matrix.length === 0) return null
  if (isPerLabel(matrix)) {
    const rows = matrix.map(([negative, positive], index) => [
      classes[index] ?? String(index),
      ...[...(negative ?? []), ...(positive ?? [])].map(formatCount),
    ])
    return grid(['label', 'true neg.', 'false pos.', 'false neg.', 'true pos.'], rows.slice(0, CLASS_ROWS))
  }
  if (matrix.length > MATRIX_CLASSES) return `confusion matrix: ${matrix.length} × ${matrix.length}, see --json`
  const names = matrix.map((_, index) => classes[index] ?? String(index))
  return grid(
    ['true \\ predicted', ...names],
    matrix.map((row, index) => [names[index] ?? '', ...row.map(formatCount)]),
  )
}

type Matrix = readonly (readonly number[])[]
const isPerLabel = (matrix: Matrix | readonly Matrix[]): matrix is readonly Matrix[] => Array.isArray(matrix[0]?.[0])

const cell = (metric: MetricValue | undefined): string => (metric === undefined ? '' : formatMetric(metric.value))

/** `0.9712 … 0.9931` */
const range = (metric: MetricValue | undefined): string =>
  metric?.interval == null
    ? ''
    : [metric.interval.low, metric.interval.high].map((end) => formatMetric(Number(end.toPrecision(4)))).join(' … ')

const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)]
