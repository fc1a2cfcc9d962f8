import { GraphQLError, type GraphQLSchema } from 'graphql'
import { makeServer, type Server } from 'graphql-ws'
import type { Platform } from '../../usecase/index.ts'
import type { ApiLimits } from '../limits.ts'
import { checkOperation } from '../operation/check-operation.ts'
import { presentAll, subscribeFreshly } from './subscribe.ts'

/**
 * The protocol graphql-transport-ws. Only subscriptions are taken, and they keep the same limits as queries over HTTP, whose
 * server has no say here.
 */
export function createGraphQLProtocol(
  schema: GraphQLSchema,
  limits: ApiLimits,
  platform: Platform,
  stopping: AbortSignal,
): Server {
  const refused = (...errors: readonly GraphQLError[]) => presentAll(errors, platform.log)
  const refusal = (code: string, message: string) => refused(new GraphQLError(message, { extensions: { code } }))
  return makeServer({
    onSubscribe: ({ subscriptions }, _id, { query, operationName, variables }) => {
      if (stopping.aborted) return refusal('CONFLICT', 'the server is stopping; connect again')
      if (Object.keys(subscriptions).length > limits.subscriptionsPerSocket)
        return refusal(
          'LIMIT_EXCEEDED',
          `a connection can have ${limits.subscriptionsPerSocket} subscriptions at a time; complete one, or open another connection`,
        )
      const checked = checkOperation(schema, limits, { query, operationName, variables })
      if (!('operation' in checked)) return refused(...checked)
      const { document, operation } = checked
      if (operation.operation !== 'subscription')
        return refusal(
          'BAD_INPUT',
          `send ${operation.operation === 'query' ? 'queries' : 'mutations'} as POST /graphql; the WebSocket takes subscriptions`,
        )
      return { schema, document, operationName, variableValues: variables }
    },
    subscribe: (args) => subscribeFreshly(platform, args),
  })
}
