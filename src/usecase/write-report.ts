import { denseConfusion, type TaskReport } from '../metric/index.ts'
import type { Transaction } from '../store/index.ts'

/** As JSON text: Prisma's own way takes seconds for the thousands of metrics and the million cells of a thousand classes. */
export async function writeReport(tx: Transaction, runId: string, report: TaskReport): Promise<void> {
  const { metrics, confusionMatrix, scores, reliability } = report
  // Numbers as text, which holds infinities, and every digit that JSON does.
  const text = (value: number | null | undefined): string | null => (value == null ? null : String(value))
  const rows = metrics.map(({ value, interval, binningError, ...metric }, position) => ({
    ...metric,
    position,
    value: text(value),
    low: text(interval?.low),
    high: text(interval?.high),
    intervalMethod: interval?.method ?? null,
    binningError: text(binningError),
  }))
  await tx.$executeRaw`
    insert into "Metric" ("runId", position, name, average, class, value, reason, low, high, "intervalMethod", "binningError")
    select ${runId}::uuid, position, name, average, class, value::float8, reason, low::float8, high::float8, "intervalMethod",
      "binningError"::float8
    from json_to_recordset(${JSON.stringify(rows)}::json)
      as metric (position integer, name text, average text, class text, value text, reason text, low text, high text,
        "intervalMethod" text, "binningError" text)`
  const histograms = scores.map((histogram, position) => ({ ...histogram, position }))
  await tx.$executeRaw`
    insert into "ScoreHistogram" ("runId", position, class, bins)
    select ${runId}::uuid, position, class, bins from json_to_recordset(${JSON.stringify(histograms)}::json)
      as histogram (position integer, class text, bins json)`
  if (reliability !== null)
    await tx.$executeRaw`update "Run" set reliability = ${JSON.stringify(reliability)}::json where id = ${runId}::uuid`
  const confusion = confusionCells(confusionMatrix)
  if (confusion !== null)
    await tx.$executeRaw`update "Run" set confusion = ${JSON.stringify(confusion)}::json where id = ${runId}::uuid`
}

/** Whether a matrix would be too large to hand out. */
export const isTooLarge = (confusion: TaskReport['confusionMatrix']): boolean =>
  confusion?.kind === 'CLASSES' && confusion.classes.length > MAX_MATRIX_CLASSES

/** [[…]] for classes, one 2×2 for each label. */
function confusionCells(confusion: TaskReport['confusionMatrix']): unknown {
  switch (confusion?.kind) {
    case undefined:
      return null
    case 'CLASSES':
      return isTooLarge(confusion) ? null : denseConfusion(confusion)
    case 'LABELS':
      return confusion.counts
  }
}

/** Classes up to which `denseConfusion` gives all cells. */
const MAX_MATRIX_CLASSES = 2000
