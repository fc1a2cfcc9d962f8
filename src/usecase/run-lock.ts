import type { RunStatus, Transaction } from '../store/index.ts'

/**
 * Takes the lock on a run's row until the transaction ends. Whoever changes a run or its shards does this first, so that
 * changes of one run happen one after the other and never deadlock. Null when there is no such run.
 */
export async function lockRun(tx: Transaction, runId: string): Promise<RunStatus | null> {
  const rows = await tx.$queryRaw<
    { status: RunStatus }[]
  >`select status from "Run" where id = ${runId}::uuid for update`
  return rows[0]?.status ?? null
}

/** As `lockRun`; whether the run can still change. Nothing is written to a run that has ended, and no event follows its last. */
export async function lockActiveRun(tx: Transaction, runId: string): Promise<boolean> {
  const status = await lockRun(tx, runId)
  return status !== null && !isTerminal(status)
}

/** Whether a run in this state has ended. */
export function isTerminal(status: RunStatus): boolean {
  switch (status) {
    case 'SUCCEEDED':
    case 'FAILED':
    case 'CANCELLED':
      return true
    case 'QUEUED':
    case 'RUNNING':
      return false
  }
}
