import { AppError } from '../error.ts'
import type { Task } from '../metric/index.ts'
import type { ShardClaim } from './claim-shard.ts'
import type { Platform } from './platform.ts'

/** What a model said about samples that follow each other. */
export interface SampleRows {
  readonly firstRow: number
  readonly rows: number
  /** src/metric verdictBytes */
  readonly verdicts: Uint8Array
  /** float32, row-major. */
  readonly logits: Uint8Array
}

/** Bytes that are kept of each sample. */
export function sampleBytes(task: Task, width: number, codes: number): number {
  // Target and prediction; a loss, a confidence and an outcome.
  return 4 * width + (task === 'MULTILABEL' ? 2 : 8) * codes + 9
}

/**
 * Whether the samples of a run are kept.
 * @param wanted null for "where they are few enough"
 * @throws AppError LIMIT_EXCEEDED when they are wanted and too many.
 */
export function decideToKeep(wanted: boolean | null, bytes: number, limit: number): boolean {
  if (wanted === false) return false
  if (bytes <= limit) return true
  if (wanted === null) return false
  throw new AppError(
    'LIMIT_EXCEEDED',
    `what the model says about each sample would take ${bytes} bytes, the limit is ${limit}; leave keepSamples out (--keep-samples), or raise NOGRAD_KEPT_SAMPLES_BYTES`,
  )
}

/**
 * Writes what a claim found out about some samples. It counts when the claim's shard is DONE: what other attempts wrote is passed over, and
 * removed with the shard's end.
 */
export async function writeSamples(
  { store }: Platform,
  { run, shard, attempt }: ShardClaim,
  rows: SampleRows,
): Promise<void> {
  await store.prisma.sampleChunk.create({
    data: {
      runId: run.id,
      shard,
      attempt,
      firstRow: BigInt(rows.firstRow),
      rows: rows.rows,
      verdicts: new Uint8Array(rows.verdicts),
      logits: new Uint8Array(rows.logits),
    },
    select: { rows: true },
  })
}
