import { AppError } from '../error.ts'
import type { RunStatus, Transaction } from '../store/index.ts'
import { isTerminal } from './run-lock.ts'

/** Whose runs. */
export type RunParent =
  { readonly checkpointId: string } | { readonly datasetId: string } | { readonly modelId: string }

const COLUMNS = { checkpointId: 'checkpointId', datasetId: 'datasetId', modelId: 'modelId' } as const

/**
 * Deletes the runs of something that is to be deleted, with their shards, metrics and events. The caller holds the lock of what they
 * belong to, so that no new one comes; their rows are locked in one order, so that two deletions wait for each other in no circle.
 * @param what what they belong to, for messages: `checkpoint best.pth`
 * @returns how many there were.
 * @throws AppError CONFLICT when there are runs and `allowed` is false, or when one has not ended.
 */
export async function deleteRunsOf(
  tx: Transaction,
  parent: RunParent,
  allowed: boolean,
  what: string,
): Promise<number> {
  const [[column, id]] = Object.entries(parent) as [[keyof typeof COLUMNS, string]]
  const rows = await tx.$queryRawUnsafe<{ id: string; status: RunStatus }[]>(
    `select id, status from "Run" where "${COLUMNS[column]}" = $1::uuid order by id for update`,
    id,
  )
  if (rows.length === 0) return 0
  const active = rows.filter(({ status }) => !isTerminal(status)).length
  if (active > 0)
    throw new AppError(
      'CONFLICT',
      `${what} has ${count(active, 'run')} under way; wait for the end, or cancel them, and try again`,
    )
  if (!allowed)
    throw new AppError(
      'CONFLICT',
      `${what} is used by ${count(rows.length, 'run')}; delete them with it (\`deleteRuns: true\`, --with-runs), or keep it`,
    )
  await tx.run.deleteMany({ where: parent })
  return rows.length
}

/** `1 run`, `2 runs`. */
export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`
