import type { RunningView } from '../metric/index.ts'
import type { Prisma } from '../store/index.ts'
import type { ShardClaim } from './claim-shard.ts'
import type { Platform } from './platform.ts'
import { holdsClaim } from './shard-fence.ts'

/** How far a run is: what a PROGRESS event carries, and what the run's row keeps of the last one. */
export type RunProgress = {
  readonly samples: number
  readonly total: number
  readonly samplesPerSecond: number
  readonly etaSeconds: number | null
  readonly loss: number | null
  readonly accuracy: number | null
  readonly precision: number | null
  readonly recall: number | null
  readonly f1: number | null
}

/** What a worker knows of its shard. */
export interface ShardProgress {
  /** Samples of the shard that are counted. */
  readonly samples: number
  /** Metrics over what this worker has seen of the run. */
  readonly running: RunningView
  /** Samples per second of the run when it has counted so many. */
  readonly speedAt: (runSamples: number) => number
}

/** Milliseconds between two PROGRESS events of a run at least, however many workers report. */
const INTERVAL_MS = 200

/** Writes how far a shard is, and a PROGRESS event for the whole run. False when the claim counts no more: the worker stops. */
export async function reportProgress(
  { store, clock }: Platform,
  claim: ShardClaim,
  { samples, running, speedAt }: ShardProgress,
): Promise<boolean> {
  const { run, shard } = claim
  return await store.prisma.$transaction(async (tx) => {
    if (!(await holdsClaim(tx, claim))) return false
    await tx.shard.update({
      where: { runId_index: { runId: run.id, index: shard } },
      data: { samples: BigInt(samples) },
    })
    const { seq } = await tx.run.findUniqueOrThrow({ where: { id: run.id }, select: { seq: true } })
    const last = await tx.runEvent.findUnique({ where: { runId_seq: { runId: run.id, seq } } })
    // Another shard's worker has just reported.
    if (last?.kind === 'PROGRESS' && clock().getTime() - last.createdAt.getTime() < INTERVAL_MS) return true
    const counted = await tx.shard.aggregate({ where: { runId: run.id }, _sum: { samples: true } })
    const progress = runProgress(run.total, Number(counted._sum.samples), running, speedAt)
    await writeProgress(tx, store.events, run.id, progress)
    return true
  })
}

/** The progress of a run that has counted so many samples. */
export function runProgress(
  runTotal: bigint,
  samples: number,
  running: RunningView,
  speedAt: (runSamples: number) => number,
): RunProgress {
  const total = Number(runTotal)
  const samplesPerSecond = speedAt(samples)
  const { loss, accuracy, precision, recall, f1 } = running
  return {
    samples,
    total,
    samplesPerSecond,
    etaSeconds: samplesPerSecond > 0 ? (total - samples) / samplesPerSecond : null,
    loss,
    accuracy,
    precision,
    recall,
    f1,
  }
}

/** Writes progress to the run's row and as an event. The caller holds the run's lock. */
export async function writeProgress(
  tx: Prisma.TransactionClient,
  events: Platform['store']['events'],
  runId: string,
  progress: RunProgress,
): Promise<void> {
  await tx.run.update({ where: { id: runId }, data: { samples: BigInt(progress.samples), progress } })
  await events.append(tx, runId, 'PROGRESS', progress)
}
