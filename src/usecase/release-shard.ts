import type { ShardClaim } from './claim-shard.ts'
import type { Platform } from './platform.ts'
import { holdsClaim } from './shard-fence.ts'

/** Gives a shard back unfinished, for another attempt. False when the claim counts no more. */
export async function releaseShard({ store }: Platform, claim: ShardClaim, reason: string): Promise<boolean> {
  const { run, shard } = claim
  return await store.prisma.$transaction(async (tx) => {
    if (!(await holdsClaim(tx, claim))) return false
    await tx.shard.update({
      where: { runId_index: { runId: run.id, index: shard } },
      data: { status: 'QUEUED', workerId: null, samples: 0 },
    })
    await store.events.append(tx, run.id, 'LOG', { level: 'warning', message: reason })
    return true
  })
}
