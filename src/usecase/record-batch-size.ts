import type { ShardClaim } from './claim-shard.ts'
import type { Platform } from './platform.ts'
import { holdsClaim } from './shard-fence.ts'

/**
 * Writes that the device's memory held no more than so many samples at a time. Of several workers the one with the smallest memory counts.
 * False when the claim counts no more.
 */
export async function recordBatchSize({ store }: Platform, claim: ShardClaim, batchSize: number): Promise<boolean> {
  const { id, batchSize: wanted } = claim.run
  return await store.prisma.$transaction(async (tx) => {
    if (!(await holdsClaim(tx, claim))) return false
    const { count } = await tx.run.updateMany({
      where: { id, OR: [{ usedBatchSize: null }, { usedBatchSize: { gt: batchSize } }] },
      data: { usedBatchSize: batchSize },
    })
    if (count > 0)
      await store.events.append(tx, id, 'LOG', {
        level: 'warning',
        message: `the memory of the device does not hold ${wanted} samples at a time: batches are executed in parts of ${batchSize}`,
      })
    return true
  })
}
