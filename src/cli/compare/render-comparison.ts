import { grid } from '../grid.ts'
import { formatBytes, formatCount, formatMetric } from '../number-format.ts'
import { printable, shortened, type Style } from '../style.ts'
import type { ComparisonReport, TensorChangeReport } from './comparison-report.ts'

/** Columns that everything but the key takes. */
const REST = 76
const MIN_KEY = 12

/** A comparison as text. @param all whether keys are listed that are equal. @param width of the terminal; null for any. */
export function renderComparison(report: ComparisonReport, all: boolean, style: Style, width: number | null): string {
  const { tensors, added, removed, storages } = report
  const listed = tensors.filter(({ change }) => all || change !== 'UNCHANGED')
  const lines = [
    ['keys', `${formatCount(tensors.length)} in both, ${added.length} added, ${removed.length} removed`],
    ['equal', `${report.equalTensors} tensors, ${percent(report.equalShare)} of the values' bytes`],
    [
      'storages',
      `${formatBytes(storages.common)} of ${formatBytes(storages.other)} in common (${percent(storages.share)})`,
    ],
    ...added.map((key) => ['added', printable(key)] as const),
    ...removed.map((key) => ['removed', printable(key)] as const),
  ].map(([name = '', text = '']) => `  ${style.dim(name.padEnd(10))}${text}`)
  const keyWidth = width === null ? Infinity : Math.max(MIN_KEY, width - REST)
  const table =
    listed.length === 0
      ? 'No tensor differs.'
      : grid(
          ['key', 'change', 'L2', 'relative', 'max abs', 'cosine distance', 'what'],
          listed.map((tensor) => row(tensor, keyWidth)),
          'left',
        )
  return [style.bold(`${printable(report.base)} → ${printable(report.other)}`), ...lines, '', table].join('\n')
}

function row(tensor: TensorChangeReport, keyWidth: number): readonly string[] {
  const { key, change, distance, reason, baseDtype, otherDtype } = tensor
  const number = (value: number | null): string => formatMetric(value === null ? null : Number(value.toPrecision(4)))
  const notFinite = distance !== null && distance.notFinite > 0 ? `${distance.notFinite} pairs not finite` : ''
  return [
    shortened(printable(key), keyWidth),
    change ?? 'unknown',
    ...(distance === null
      ? ['', '', '', '']
      : [distance.l2, distance.relativeL2, distance.maxAbsDifference, distance.cosineDistance].map(number)),
    [baseDtype === otherDtype ? '' : `${baseDtype} → ${otherDtype}`, reason ?? '', notFinite]
      .filter(Boolean)
      .join('; '),
  ]
}

const percent = (share: number | null): string => (share === null ? '–' : `${(share * 100).toFixed(1)} %`)
