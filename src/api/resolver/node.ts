import type { Context } from '../context.ts'
import type { ResolversTypes } from '../generated/resolvers.ts'
import { decodeAnyId } from '../object-id.ts'
import { notFound } from './not-found.ts'

type AnyNode = Awaited<ResolversTypes['Node']>

/**
 * The row with this id, of whatever kind, with the name of its type for graphql-js.
 * @throws AppError NOT_FOUND.
 */
export async function loadNode(id: string, { loaders }: Context): Promise<AnyNode> {
  const { kind, uuid } = decodeAnyId(id, ['id'])
  const loader = {
    Model: loaders.model,
    Architecture: loaders.architecture,
    Checkpoint: loaders.checkpoint,
    Dataset: loaders.dataset,
    Run: loaders.run,
    Upload: loaders.upload,
    Worker: loaders.worker,
  }[kind]
  const row = await loader.load(uuid)
  if (row === null) throw notFound(kind, id)
  return Object.assign({ __typename: kind }, row)
}
