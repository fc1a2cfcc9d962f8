import { notFiniteText, type TensorStatistics } from '../../statistics/index.ts'
import { grid } from '../grid.ts'
import { formatBytes, formatCount, formatMetric } from '../number-format.ts'
import { printable, shortened, type Style } from '../style.ts'
import type { CheckpointReport, GlobalReport, TensorReport } from './checkpoint-report.ts'
import { histogramBar } from './histogram-bar.ts'

/** Names that a summary lists. */
const LISTED = 12
/** A key is never shorter than this. */
const MIN_KEY = 12

/** A report as text. @param width columns of the terminal; null where lines may be of any length. */
export function renderReport(report: CheckpointReport, style: Style, width: number | null): string {
  const groups = new Map<string, TensorReport[]>()
  for (const tensor of report.tensors) {
    const path = pathText(tensor.stateDict)
    groups.set(path, [...(groups.get(path) ?? []), tensor])
  }
  const tables = [...groups].map(([path, tensors]) => {
    const title = groups.size > 1 ? `${style.bold(path)}\n` : ''
    return title + tensorTable(tensors, width)
  })
  return [summary(report, style), ...tables].join('\n\n')
}

function summary(report: CheckpointReport, style: Style): string {
  const { storages, tensorCount, stateDicts, locations, globals, warnings } = report
  const format = [
    report.format,
    ...(report.formatVersion === null ? [] : [`version ${report.formatVersion}`]),
    ...(report.byteOrder === null ? [] : [`${report.byteOrder}-endian`]),
  ]
  const held = [
    `${formatCount(report.parameters)} values in the first state_dict`,
    ...(tensorCount === null ? [] : [`${formatCount(tensorCount)} tensors in the file`]),
    ...(storages === null ? [] : [`${formatCount(storages.count)} storages of ${formatBytes(storages.bytes)}`]),
  ]
  const lines: (readonly [string, string])[] = [
    ['format', format.join(', ')],
    ['file', formatBytes(report.fileBytes)],
    ...(report.sha256 === null ? [] : [['sha256', report.sha256] as const]),
    ['parameters', held.join(', ')],
    ['state_dicts', list(stateDicts.map(({ path, tensors }) => `${pathText(path)} (${tensors} tensors)`)) || 'none'],
    ['locations', list(locations.map(printable)) || 'none'],
    ['globals', list(globals.map(({ module, name }) => printable(`${module}.${name}`))) || 'none'],
    ...(report.statistics === null || report.statistics === 'READY'
      ? []
      : [['statistics', style.yellow(report.statistics)] as const]),
    ...[...warnings.map(printable), ...notFinite(report.tensors)].map(
      (warning) => ['warning', style.yellow(warning)] as const,
    ),
  ]
  const names = lines.map(([name, text]) => `  ${style.dim(name.padEnd(12))}${text}`)
  return [style.bold(printable(report.fileName)), ...names].join('\n')
}

/** A platform's checkpoint has them among its warnings; each is said once. */
function notFinite(tensors: readonly TensorReport[]): readonly string[] {
  return tensors.flatMap(({ key, statistics }) => {
    const text = statistics == null ? null : notFiniteText(statistics)
    return text === null ? [] : [`${printable(key)} is not finite: ${text}`]
  })
}

const list = (texts: readonly string[]): string =>
  texts.slice(0, LISTED).join(', ') + (texts.length > LISTED ? ` and ${texts.length - LISTED} more` : '')

const pathText = (path: readonly string[]): string => (path.length === 0 ? 'the root' : printable(path.join('.')))

function tensorTable(tensors: readonly TensorReport[], width: number | null): string {
  const columns: (readonly [string, (tensor: TensorReport) => string])[] = [
    ['dtype', ({ dtype }) => dtype],
    ['shape', ({ shape }) => `[${shape.join(', ')}]`],
  ]
  if (tensors.some(({ contiguous }) => !contiguous))
    columns.push(['stride', ({ contiguous, stride }) => (contiguous ? '' : `[${stride.join(', ')}]`)])
  columns.push(['bytes', ({ bytes }) => formatBytes(bytes)])
  if (new Set(tensors.map(({ location }) => location)).size > 1)
    columns.push(['location', ({ location }) => printable(location)])
  if (tensors.some(({ sharedWith }) => sharedWith.length > 0))
    columns.push(['shared with', ({ sharedWith }) => shortened(printable(sharedWith.join(', ')), 40)])
  if (tensors.some(({ statistics }) => statistics !== undefined)) columns.push(...STATISTICS)
  const cells = tensors.map((tensor) => columns.map(([, cell]) => cell(tensor)))
  const rest = columns.reduce(
    (sum, [name], column) => sum + 2 + Math.max(name.length, ...cells.map((row) => row[column]!.length)),
    0,
  )
  const keyWidth = width === null ? Infinity : Math.max(MIN_KEY, width - rest)
  return grid(
    ['key', ...columns.map(([name]) => name)],
    tensors.map(({ key }, row) => [shortened(printable(key), keyWidth), ...cells[row]!]),
    'left',
  )
}

type NumberField = 'min' | 'max' | 'mean' | 'std'
const number =
  (field: NumberField) =>
  ({ statistics }: TensorReport): string =>
    statistics == null ? '' : short(statistics[field])
const count =
  (of: (statistics: TensorStatistics) => number) =>
  ({ statistics }: TensorReport): string =>
    statistics == null || of(statistics) === 0 ? '' : formatCount(of(statistics))

/** Four digits do for a table; `--json` has all. */
const short = (value: number | null): string => formatMetric(value === null ? null : Number(value.toPrecision(4)))

const STATISTICS: readonly (readonly [string, (tensor: TensorReport) => string])[] = [
  ['min', number('min')],
  ['max', number('max')],
  ['mean', number('mean')],
  ['std', number('std')],
  ['zeros', count(({ zeros }) => zeros)],
  ['NaN', count(({ nan }) => nan)],
  ['±Inf', count(({ positiveInfinity, negativeInfinity }) => positiveInfinity + negativeInfinity)],
  ['histogram', ({ statistics }) => (statistics?.histogram ? histogramBar(statistics.histogram.counts) : '')],
]

/** What a file that is refused names, the dangerous first. */
export function renderGlobals(globals: readonly GlobalReport[], style: Style): string {
  const foreign = globals.filter(({ allowed }) => !allowed)
  const ordered = [...foreign].sort((a, b) => Number(b.danger !== null) - Number(a.danger !== null))
  const rows = ordered.map(({ module, name, offset, danger }) => [
    printable(`${module}.${name}`),
    String(offset),
    danger ?? 'not on the closed list',
  ])
  const allowed = globals.length - foreign.length
  const known = allowed === 0 ? '' : `\n${allowed} more are on the closed list of what a checkpoint may hold.`
  return `${style.red('Names in the file that no checkpoint needs; nothing was executed:')}\n${grid(['global', 'byte', 'what it does'], rows, 'left')}${known}`
}
