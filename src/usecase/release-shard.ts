import type { ShardClaim } from './claim-shard.ts'
import type { Platform } from './platform.ts'
import { backToQueue } from './requeue-shard.ts'
import { lockRun } from './run-lock.ts'

/** Gives a shard back unfinished, for another attempt. False when the claim counts no more. */
export async function releaseShard(platform: Platform, claim: ShardClaim, reason: string): Promise<boolean> {
  const { run, shard, attempt } = claim
  return await platform.store.prisma.$transaction(async (tx) => {
    if ((await lockRun(tx, run.id)) !== 'RUNNING') return false
    return await backToQueue(platform, tx, { runId: run.id, index: shard, attempt, status: 'RUNNING' }, reason)
  })
}
