import type { Transaction } from '../store/index.ts'
import type { ShardClaim } from './claim-shard.ts'
import { lockActiveRun } from './run-lock.ts'

/**
 * Locks a claim's run and tells whether the claim still counts: the run has not ended, and nobody has taken the shard over. What a worker
 * writes, it writes behind this.
 */
export async function holdsClaim(tx: Transaction, { run, shard, attempt }: ShardClaim): Promise<boolean> {
  if (!(await lockActiveRun(tx, run.id))) return false
  const found = await tx.shard.findUnique({ where: { runId_index: { runId: run.id, index: shard } } })
  return found !== null && found.status === 'RUNNING' && found.attempt === attempt
}
