/** Sizes and times that a client of the API cannot exceed, on HTTP and on the WebSocket alike. */
export interface ApiLimits {
  /** Bytes of a GraphQL request: its body, or its WebSocket message. */
  readonly requestBytes: number
  /** Lexical tokens of a GraphQL document. */
  readonly tokens: number
  /** Levels of selections. */
  readonly depth: number
  /** Lists inside lists. */
  readonly listDepth: number
  /** Fields with an alias, counted each time that their fragment is spread. */
  readonly aliases: number
  /** Fields and fragments, counted each time that they are spread. */
  readonly selections: number
  /** Cost of an operation: about the number of objects that it may answer. */
  readonly cost: number
  /** WebSocket connections at a time. */
  readonly sockets: number
  /** Subscriptions of one WebSocket connection at a time. */
  readonly subscriptionsPerSocket: number
  /** Bytes that wait for a client that does not read; one that still sends with so many waiting is cut off. */
  readonly socketBacklogBytes: number
  /** Milliseconds between pings; a connection that does not answer one until the next is cut off. */
  readonly keepAliveMs: number
  /** Milliseconds in which a request, other than an upload, must have arrived. */
  readonly requestMs: number
  /** Milliseconds without a byte after which an upload counts as cut. */
  readonly uploadIdleMs: number
  /** Milliseconds for which a client of a download may take nothing. */
  readonly downloadIdleMs: number
  /** Bytes of a download up to which its hash is computed before it is sent, where it is not known yet. */
  readonly hashFirstBytes: number
  /** Milliseconds that requests have to end when the server stops. */
  readonly shutdownMs: number
}

/** The limits of a server that was not told otherwise. docs/graphql.md lists them. */
export const DEFAULT_API_LIMITS: ApiLimits = {
  requestBytes: 1_000_000,
  tokens: 2_000,
  depth: 12,
  listDepth: 5,
  aliases: 30,
  selections: 1_000,
  cost: 10_000,
  sockets: 10_000,
  subscriptionsPerSocket: 100,
  socketBacklogBytes: 4 * 2 ** 20,
  keepAliveMs: 15_000,
  requestMs: 30_000,
  uploadIdleMs: 60_000,
  downloadIdleMs: 60_000,
  hashFirstBytes: 256 * 2 ** 20,
  shutdownMs: 10_000,
}
