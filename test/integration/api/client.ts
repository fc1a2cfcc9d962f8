import { request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { createClient, type Client, type FormattedExecutionResult } from 'graphql-ws'
import { WebSocket } from 'ws'

/** What GraphQL answered. */
export interface Answer {
  readonly status: number
  // Tests look into the data of any operation.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly data: any
  readonly errors?: readonly {
    readonly message: string
    readonly path?: readonly (string | number)[]
    readonly extensions: { readonly code: string; readonly id?: string }
  }[]
}

/** Sends an operation to `POST /graphql`. */
export async function graphql(url: string, query: string, variables: Record<string, unknown> = {}): Promise<Answer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  })
  return { status: response.status, ...((await response.json()) as Omit<Answer, 'status'>) }
}

/** A graphql-ws client, disposed with all its subscriptions. */
export function socketClient(
  url: string,
  options: { readonly headers?: Record<string, string>; readonly retryAttempts?: number } = {},
): Client {
  const { headers } = options
  class Socket extends WebSocket {
    constructor(address: string, protocols: string | string[]) {
      super(address, protocols, headers === undefined ? {} : { headers })
    }
  }
  return createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: Socket,
    retryAttempts: options.retryAttempts ?? 0,
    lazy: true,
    // Errors are the caller's to see, where it subscribes.
    onNonLazyError: () => undefined,
  })
}

export type Item = FormattedExecutionResult<Record<string, unknown>, { readonly code: string; readonly id?: string }>

/** All answers of a subscription until it completes, until the client is disposed, or until there are `count`. */
export async function collect(
  client: Client,
  query: string,
  variables: Record<string, unknown> = {},
  count = Infinity,
  onItem: (item: Item) => void = () => undefined,
): Promise<Item[]> {
  const items: Item[] = []
  for await (const item of client.iterate({ query, variables }) as AsyncIterableIterator<Item>) {
    items.push(item)
    onItem(item)
    if (items.length >= count) break
  }
  return items
}

export interface RawAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** A request below fetch: any header, any body, cut wherever wanted. */
export function send(
  url: string,
  options: { readonly method?: string; readonly headers?: OutgoingHttpHeaders; readonly body?: string | Buffer } = {},
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const out = request(
      url,
      { method: options.method ?? 'GET', headers: options.headers ?? {}, agent: false },
      (response) => {
        const pieces: Buffer[] = []
        response.on('data', (piece: Buffer) => pieces.push(piece))
        response.on('end', () =>
          resolve({
            status: response.statusCode!,
            headers: response.headers,
            text: Buffer.concat(pieces).toString('utf8'),
          }),
        )
        response.on('error', reject)
      },
    )
    out.on('error', reject)
    out.end(options.body)
  })
}

/** Bytes straight into the socket; what came back until the server closed. */
export function sendBytes(url: string, bytes: string | Buffer): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(Number(port), hostname, () => socket.write(bytes))
    socket.on('data', (piece) => {
      text += piece.toString('utf8')
    })
    socket.on('close', () => resolve(text))
    socket.on('error', reject)
  })
}
