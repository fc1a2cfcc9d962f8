import { ApolloServer, type ApolloServerPlugin } from '@apollo/server'
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled'
import { GraphQLError, OperationTypeNode, type GraphQLSchema } from 'graphql'
import type { Logger } from 'pino'
import type { Context } from '../context.ts'
import type { ApiLimits } from '../limits.ts'
import { checkCost, limitRules } from '../operation/check-operation.ts'
import { presentGraphQLError } from '../present-error.ts'

/** Queries and mutations over HTTP, with our limits and our errors, not started yet. */
export function createGraphQLServer(schema: GraphQLSchema, limits: ApiLimits, log: Logger): ApolloServer<Context> {
  return new ApolloServer<Context>({
    schema,
    introspection: true,
    csrfPrevention: true,
    allowBatchedHttpRequests: false,
    persistedQueries: false,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    parseOptions: { maxLexicalTokens: limits.tokens },
    validationRules: limitRules(limits),
    logger: {
      debug: (message: unknown) => log.debug(String(message)),
      info: (message: unknown) => log.debug(String(message)),
      warn: (message: unknown) => log.warn(String(message)),
      error: (message: unknown) => log.error(String(message)),
    },
    formatError: (_formatted, error) =>
      presentGraphQLError(error instanceof Error ? error : new Error(String(error)), log).toJSON(),
    plugins: [
      operationPlugin(schema, limits),
      // Nothing is sent to anybody, whatever the environment's variables say.
      ApolloServerPluginUsageReportingDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginLandingPageDisabled(),
    ],
  })
}

/** What can only be checked once operation and variables are known. */
const operationPlugin = (schema: GraphQLSchema, limits: ApiLimits): ApolloServerPlugin<Context> => ({
  requestDidStart: () =>
    Promise.resolve({
      didResolveOperation: ({ document, operation, request }) => {
        if (operation === undefined) return Promise.resolve()
        if (operation.operation === OperationTypeNode.SUBSCRIPTION)
          throw new GraphQLError(
            'subscriptions go over the WebSocket of the same address, with the protocol graphql-transport-ws',
            {
              nodes: operation,
              extensions: { code: 'BAD_INPUT', http: { status: 400 } },
            },
          )
        checkCost(schema, limits, document, operation, request.variables ?? {})
        return Promise.resolve()
      },
    }),
})
