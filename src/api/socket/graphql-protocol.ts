import { GraphQLError, OperationTypeNode, type GraphQLSchema } from 'graphql'
import { makeServer, type Server } from 'graphql-ws'
import type { Platform, Predictor } from '../../usecase/index.ts'
import { contextsOfTurns } from '../context.ts'
import type { ApiLimits } from '../limits.ts'
import { checkOperation } from '../operation/check-operation.ts'
import { presentAll, subscribeFreshly } from './subscribe.ts'

/** Milliseconds in which a connection must introduce itself. A thousand that come at once take a while. */
const CONNECTION_INIT_MS = 10_000

/**
 * The protocol graphql-transport-ws. Only subscriptions are taken, and they keep the same limits as queries over HTTP, whose
 * server has no say here.
 */
export function createGraphQLProtocol(
  schema: GraphQLSchema,
  limits: ApiLimits,
  platform: Platform,
  predictor: Predictor,
  stopping: AbortSignal,
): Server {
  const contextNow = contextsOfTurns(platform, predictor)
  const refused = (...errors: readonly GraphQLError[]) => presentAll(errors, platform.log)
  const refusal = (code: string, message: string) => refused(new GraphQLError(message, { extensions: { code } }))
  return makeServer({
    connectionInitWaitTimeout: CONNECTION_INIT_MS,
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
      if (operation.operation !== OperationTypeNode.SUBSCRIPTION)
        return refusal('BAD_INPUT', 'the WebSocket takes subscriptions; send queries and mutations as POST /graphql')
      return { schema, document, operationName, variableValues: variables }
    },
    subscribe: (args) => subscribeFreshly(platform.log, contextNow, args),
  })
}
