import { FIND_DATASET, type FindDataset } from './documents.ts'
import { CliFailure } from './failure.ts'
import type { PlatformClient } from './platform-client.ts'

/**
 * The id of a dataset by its name (its newest version) or its id.
 * @throws CliFailure NOT_FOUND
 */
export async function findDataset(client: PlatformClient, dataset: string, signal: AbortSignal): Promise<string> {
  if (/^dat_[0-9a-f-]{36}$/.test(dataset)) return dataset
  const { dataset: found } = await client.query<FindDataset>(FIND_DATASET, { name: dataset }, signal)
  if (found === null) throw new CliFailure('NOT_FOUND', `there is no dataset called ${JSON.stringify(dataset)}`)
  return found.id
}
