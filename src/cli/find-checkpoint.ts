import { FIND_CHECKPOINTS, type FindCheckpoints } from './documents.ts'
import { CliFailure } from './failure.ts'
import type { PlatformClient } from './platform-client.ts'

/**
 * The id of a checkpoint by its name, and its model's name or id; the newest are looked at first.
 * @throws CliFailure NOT_FOUND.
 */
export async function findCheckpoint(
  client: PlatformClient,
  { model, name }: { readonly model: string; readonly name: string },
  signal: AbortSignal,
): Promise<string> {
  const which = model.startsWith('mdl_') ? { id: model } : { name: model }
  for (let after: string | null = null; ;) {
    const page: FindCheckpoints = await client.query<FindCheckpoints>(FIND_CHECKPOINTS, { ...which, after }, signal)
    if (page.model === null) throw new CliFailure('NOT_FOUND', `there is no model called ${JSON.stringify(model)}`)
    const { nodes, pageInfo } = page.model.checkpoints
    const named = nodes.find((node) => node.name === name)
    if (named !== undefined) return named.id
    if (!pageInfo.hasNextPage)
      throw new CliFailure(
        'NOT_FOUND',
        `model ${JSON.stringify(model)} has no checkpoint called ${JSON.stringify(name)}`,
      )
    after = pageInfo.endCursor
  }
}
