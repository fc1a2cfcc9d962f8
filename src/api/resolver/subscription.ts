import type { Context } from '../context.ts'
import type { RunRecord } from '../loader/index.ts'
import type { SubscriptionResolvers } from '../generated/resolvers.ts'
import { InputError } from '../input-error.ts'
import { decodeId } from '../object-id.ts'
import { abortable } from './abortable.ts'
import { notFound } from './not-found.ts'
import { required } from './required.ts'
import type { RunEventRecord } from '../record.ts'

/** What can be watched. Each source is pulled: a slow client slows its own source, which reads from the database. */
export const subscriptionResolvers: SubscriptionResolvers = {
  runProgress: {
    subscribe: (_root, { id, after }, { platform }) => {
      const runId = decodeId('Run', id, ['id'])
      if (after != null && after < 0)
        throw new InputError('BAD_INPUT', `\`after\` is ${after}; it is the \`seq\` of an event, 0 or more`, ['after'])
      return abortable((signal) =>
        map(
          platform.store.events.subscribe(runId, { signal, ...(after == null ? {} : { after }) }),
          (item): RunEventRecord => ({ runId, item }),
        ),
      )
    },
    resolve: (event: unknown) => event as RunEventRecord,
  },
  runsChanged: {
    subscribe: async (_root, { modelId }, { platform, loaders }) => {
      const uuid = modelId == null ? null : decodeId('Model', modelId, ['modelId'])
      if (uuid !== null && (await loaders.model.load(uuid)) === null) throw notFound('Model', modelId!, ['modelId'])
      return abortable((signal) =>
        platform.store.events.changes({ signal, ...(uuid === null ? {} : { modelId: uuid }) }),
      )
    },
    resolve: (runId: unknown, _arguments: unknown, { loaders }: Context): Promise<RunRecord> =>
      required(loaders.run, runId as string),
  },
}

async function* map<From, To>(items: AsyncIterable<From>, change: (item: From) => To): AsyncGenerator<To, void> {
  for await (const item of items) yield change(item)
}
