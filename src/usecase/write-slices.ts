import { sliceName, type SliceFit } from '../evaluation/index.ts'
import { SLICE_METRICS, type RunReport, type SliceReport, type Task } from '../metric/index.ts'
import type { Transaction } from '../store/index.ts'

/** A slice with its name. */
export interface NamedSlice extends SliceReport {
  readonly key: string
  readonly value: string
}

/** The slices of a run, the worst of each key first; those without a value come last. */
export function namedSlices(task: Task, keys: readonly SliceFit[], { slices }: RunReport): NamedSlice[] {
  const worst = task === 'REGRESSION' ? -1 : 1
  const first = SLICE_METRICS[task][0]
  const rank = ({ metrics }: SliceReport): number => {
    const value = metrics.find(({ name }) => name === first)?.value
    return value == null ? Infinity : worst * value
  }
  return keys.flatMap((fit, at) =>
    Object.entries(slices[at] ?? {})
      .map(([code, report]) => ({ ...report, key: fit.key, value: sliceName(fit, Number(code)) }))
      .sort((a, b) => compare(rank(a), rank(b)) || b.samples - a.samples),
  )
}

const compare = (a: number, b: number): number => (a === b ? 0 : a - b)

/** As JSON text: there may be thousands. */
export async function writeSlices(tx: Transaction, runId: string, slices: readonly NamedSlice[]): Promise<void> {
  if (slices.length === 0) return
  const rows = slices.map((slice, position) => ({ ...slice, position }))
  await tx.$executeRaw`
    insert into "RunSlice" ("runId", position, key, value, samples, metrics)
    select ${runId}::uuid, position, key, value, samples, metrics from json_to_recordset(${JSON.stringify(rows)}::json)
      as slice (position integer, key text, value text, samples bigint, metrics json)`
}
