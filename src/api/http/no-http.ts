import type { Duplex } from 'node:stream'

/** Answers bytes that Node could not read as a request: as JSON, as everything else, and goodbye. */
export function answerNoHttp(error: NodeJS.ErrnoException, stream: Duplex): void {
  if (!stream.writable || error.code === 'ECONNRESET') {
    stream.destroy()
    return
  }
  const tooLarge = error.code === 'HPE_HEADER_OVERFLOW'
  answerRaw(
    stream,
    tooLarge
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request',
    tooLarge ? 'LIMIT_EXCEEDED' : 'BAD_INPUT',
    tooLarge ? 'the headers of the request are too large' : 'the request is no HTTP, or did not arrive in time',
  )
}

/** Writes an answer where there is no response object, and closes the connection. */
export function answerRaw(stream: Duplex, status: string, code: string, message: string): void {
  const body = JSON.stringify({ errors: [{ code, message, extensions: { code } }] })
  stream.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}
