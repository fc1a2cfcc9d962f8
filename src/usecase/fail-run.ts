import type { ErrorCode } from '../error.ts'
import type { ShardClaim } from './claim-shard.ts'
import type { Platform } from './platform.ts'
import { holdsClaim } from './shard-fence.ts'

/**
 * Ends a run as FAILED because one of its shards cannot be evaluated. Progress and log stay.
 * @returns false when the claim counts no more; then nothing is written.
 */
export async function failRun(
  { store, clock }: Platform,
  claim: ShardClaim,
  { code, message }: { readonly code: ErrorCode; readonly message: string },
): Promise<boolean> {
  const runId = claim.run.id
  return await store.prisma.$transaction(async (tx) => {
    if (!(await holdsClaim(tx, claim))) return false
    await tx.run.update({
      where: { id: runId },
      data: { status: 'FAILED', errorCode: code, errorMessage: message, finishedAt: clock() },
    })
    await store.events.append(tx, runId, 'LOG', { level: 'error', message: `${code}: ${message}` })
    await store.events.append(tx, runId, 'STATUS', { status: 'FAILED' })
    // Other shards of the run stop too.
    await store.queue.cancel(tx, runId)
    return true
  })
}
