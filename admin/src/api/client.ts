import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, type FieldPolicy } from '@apollo/client'
import { GraphQLWsLink } from '@apollo/client/link/subscriptions'
import { OperationTypeNode } from 'graphql'
import { createClient } from 'graphql-ws'
import { connectionChanged } from './connection.ts'

const socketUrl = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`

/** One WebSocket for all that is watched. It is opened when something is, and comes back by itself however often it is lost. */
export const sockets = createClient({
  url: socketUrl,
  lazy: true,
  retryAttempts: Number.POSITIVE_INFINITY,
  shouldRetry: () => true,
  // Half a second at first, ten at most, so that a server that starts again is not met by all at once.
  retryWait: async (retries) => {
    const wait = Math.min(10_000, 500 * 2 ** Math.min(retries, 5)) * (0.5 + Math.random() / 2)
    await new Promise((resolve) => setTimeout(resolve, wait))
  },
  on: {
    connecting: (isRetry) => connectionChanged(isRetry ? 'tried again' : 'there'),
    connected: () => connectionChanged('there'),
  },
})

/** Every object once, by its id: what one view learns, all show. */
export const apollo = new ApolloClient({
  link: ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    new GraphQLWsLink(sockets),
    new HttpLink({ uri: '/graphql' }),
  ),
  cache: new InMemoryCache({
    possibleTypes: { Node: ['Architecture', 'Model', 'Checkpoint', 'Dataset', 'Upload', 'Run', 'Worker'] },
    typePolicies: {
      Query: {
        fields: {
          runs: nodes('filter', 'orderBy'),
          // Lists of other lengths are other lists: a short one does not cut a long one off.
          models: nodes('first', 'nameContains'),
          datasets: nodes('first', 'nameContains'),
          checkpoints: nodes('modelId', 'first', 'nameContains'),
        },
      },
      Run: { fields: { sampleResults: nodes('filter', 'orderBy') } },
      // Of one answer, not of an object.
      Metric: { keyFields: false },
      Device: { keyFields: false },
      Sample: { keyFields: false },
      DatasetSample: { keyFields: false },
      SampleChange: { keyFields: false },
    },
  }),
})

interface Connection {
  readonly nodes?: readonly unknown[]
}

/** Pages of `nodes` behind each other; one list for each value of `keyArgs`. */
function nodes(...keyArgs: string[]): FieldPolicy<Connection> {
  return {
    keyArgs,
    merge(existing, incoming, { args }) {
      if (incoming.nodes === undefined) return { ...existing, ...incoming }
      const before = args?.['after'] == null ? [] : (existing?.nodes ?? [])
      return { ...existing, ...incoming, nodes: [...before, ...incoming.nodes] }
    },
  }
}
