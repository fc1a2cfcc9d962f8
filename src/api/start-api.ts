import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AppError } from '../error.ts'
import { createPredictor, type Platform } from '../usecase/index.ts'
import { createApp } from './http/app.ts'
import { createGraphQLServer } from './http/graphql-server.ts'
import { uploadRoutes } from './http/upload/upload-routes.ts'
import { answerNoHttp } from './http/no-http.ts'
import { DEFAULT_API_LIMITS, type ApiLimits } from './limits.ts'
import { createSchema } from './schema.ts'
import { createGraphQLProtocol } from './socket/graphql-protocol.ts'
import { serveSockets } from './socket/serve-sockets.ts'

/** How to start the API. */
export interface ApiOptions {
  readonly platform: Platform
  /** Address to listen on: `127.0.0.1` for this machine only. */
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Whether there is a GraphQL explorer. */
  readonly development: boolean
  /** Folder of the admin client as it was built; without it there is none. */
  readonly admin?: URL | undefined
  readonly limits?: Partial<ApiLimits> | undefined
  /** Origins of pages, besides our own, that may use the API: `https://admin.example.org`. */
  readonly allowedOrigins?: readonly string[] | undefined
}

/** A running API. Disposing it lets requests end, sends WebSockets away with code 1001 and takes nothing new. */
export interface Api extends AsyncDisposable {
  /** `http://127.0.0.1:4000` */
  readonly url: string
  readonly port: number
}

/**
 * Starts GraphQL over HTTP and WebSocket, uploads, health checks, the admin client and, in development, the explorer, on one port.
 * @throws AppError CONFLICT when the port is taken, BAD_INPUT when it cannot be listened on.
 */
export async function startApi(options: ApiOptions): Promise<Api> {
  const { platform, host, port, development, admin = null, allowedOrigins = [] } = options
  const limits = { ...DEFAULT_API_LIMITS, ...options.limits }
  const stopping = new AbortController()
  const schema = createSchema()
  const graphql = createGraphQLServer(schema, limits, platform.log)
  await graphql.start()

  const predictor = createPredictor(platform)
  const uploads = uploadRoutes(platform, limits, allowedOrigins)
  const app = createApp({
    platform,
    predictor,
    graphql,
    uploads,
    limits,
    development,
    admin,
    allowedOrigins,
    stopping: stopping.signal,
  })
  const server = createServer({ requestTimeout: 0 }, app)
  // By default Node asks every client to send before any route has looked at the request.
  server.on('checkContinue', app)
  server.on('clientError', answerNoHttp)
  const protocol = createGraphQLProtocol(schema, limits, platform, predictor, stopping.signal)
  const sockets = serveSockets({ server, protocol, limits, allowedOrigins, log: platform.log })
  try {
    await listen(server, host, port)
  } catch (error) {
    await graphql.stop()
    throw error
  }
  const address = server.address() as AddressInfo
  return {
    url: `http://${urlHost(host)}:${address.port}`,
    port: address.port,
    [Symbol.asyncDispose]: async () => {
      stopping.abort(new Error('the server is stopping'))
      const closed = new Promise((resolve) => server.close(resolve))
      const timer = setTimeout(() => server.closeAllConnections(), limits.shutdownMs)
      // A connection that is kept alive is idle as soon as its last request has ended.
      const idle = setInterval(() => server.closeIdleConnections(), 50)
      uploads.cut()
      await sockets[Symbol.asyncDispose]()
      await closed
      clearTimeout(timer)
      clearInterval(idle)
      await uploads.end()
      await graphql.stop()
    },
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const code = error.code === 'EADDRINUSE' ? 'CONFLICT' : 'BAD_INPUT'
      const reason =
        error.code === 'EADDRINUSE'
          ? 'is taken by another process; stop it, or choose another port'
          : `cannot be listened on: ${error.message}`
      reject(new AppError(code, `port ${port} of ${host} ${reason}`, { cause: error }))
    })
    server.listen(port, host, () => {
      server.removeAllListeners('error')
      resolve()
    })
  })
}

/** An address as a link: a server that listens everywhere is found at localhost. */
function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::' || host === '') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}
