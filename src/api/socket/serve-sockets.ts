import type { Server as HttpServer } from 'node:http'
import { CloseCode, handleProtocols, type Server as Protocol } from 'graphql-ws'
import type { Logger } from 'pino'
import { WebSocketServer, type WebSocket } from 'ws'
import { answerRaw } from '../http/no-http.ts'
import { isAllowedOrigin } from '../http/origin.ts'
import type { ApiLimits } from '../limits.ts'

/** What the WebSocket side is made of. */
export interface SocketOptions {
  readonly server: HttpServer
  readonly protocol: Protocol
  readonly limits: ApiLimits
  readonly allowedOrigins: readonly string[]
  readonly log: Logger
}

/** Milliseconds that clients have to answer the closing of their connection. */
const CLOSE_MS = 1_000

/** Takes WebSockets at `/graphql` of an HTTP server. Disposing it says goodbye (1001) to all of them. */
export function serveSockets({ server, protocol, limits, allowedOrigins, log }: SocketOptions): AsyncDisposable {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.requestBytes,
    perMessageDeflate: false,
    handleProtocols,
  })
  server.on('upgrade', (request, stream, head) => {
    stream.on('error', () => stream.destroy())
    const path = request.url?.split('?')[0]
    if (path !== '/graphql') answerRaw(stream, '404 Not Found', 'NOT_FOUND', 'WebSockets are taken at /graphql')
    else if (!isAllowedOrigin(request.headers.origin, request.headers.host, allowedOrigins))
      answerRaw(
        stream,
        '403 Forbidden',
        'BAD_INPUT',
        `pages of ${String(request.headers.origin)} may not connect; list the origin in the settings`,
      )
    else if (sockets.clients.size >= limits.sockets)
      answerRaw(stream, '503 Service Unavailable', 'LIMIT_EXCEEDED', `there are ${limits.sockets} connections already`)
    else
      sockets.handleUpgrade(request, stream, head, (socket) => {
        serveSocket(socket, protocol, limits, log)
      })
  })
  return {
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets.clients) socket.close(1001, 'Going away')
      const closed = Promise.all(
        [...sockets.clients].map((socket) => new Promise((resolve) => socket.once('close', resolve))),
      )
      const timer = setTimeout(() => {
        for (const socket of sockets.clients) socket.terminate()
      }, CLOSE_MS)
      await closed
      clearTimeout(timer)
      await new Promise((resolve) => sockets.close(resolve))
    },
  }
}

/** Runs the protocol over one socket, pings it, and cuts it off when it is dead or does not read. */
function serveSocket(socket: WebSocket, protocol: Protocol, limits: ApiLimits, log: Logger): void {
  const close = (code: number, reason: string) => socket.close(code, reason)
  const fail = (error: unknown) => {
    log.error({ err: error }, 'a WebSocket message could not be handled')
    close(CloseCode.InternalServerError, 'Internal server error')
  }
  // Broken frames and messages over the limit; ws closes the socket with the right code by itself.
  socket.on('error', (error) => log.debug({ err: error }, 'a WebSocket client broke the protocol'))

  let alive = true
  const ping = setInterval(() => {
    if (!alive) {
      socket.terminate()
      return
    }
    alive = false
    socket.ping()
  }, limits.keepAliveMs)
  socket.on('pong', () => {
    alive = true
  })
  // Answers are only made as fast as they are read, but a client can ask faster than it reads: for pongs, for errors.
  const checkBacklog = () => {
    if (socket.bufferedAmount <= limits.socketBacklogBytes) return true
    log.warn({ bytes: socket.bufferedAmount }, 'a WebSocket client that does not read was cut off')
    socket.terminate()
    return false
  }
  socket.on('ping', checkBacklog)

  const closed = protocol.opened(
    {
      protocol: socket.protocol,
      send: (data) =>
        new Promise((resolve) => {
          // Resolved when the system has taken the bytes; for a socket that has died meanwhile there is nothing left to do.
          if (socket.readyState === socket.OPEN) socket.send(data, () => resolve())
          else resolve()
        }),
      close,
      onMessage: (handle) => {
        socket.on('message', (data: Buffer) => {
          if (checkBacklog()) handle(data.toString('utf8')).catch(fail)
        })
      },
    },
    undefined,
  )
  socket.once('close', (code, reason) => {
    clearInterval(ping)
    closed(code, reason.toString('utf8')).catch(fail)
  })
}
