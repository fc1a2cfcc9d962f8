import type { RequestHandler } from 'express'
import { fileURLToPath } from 'node:url'
import sirv from 'sirv'

// Scripts are files of ours; components set styles of elements. Images of samples come from the API, charts make some of their own.
const ADMIN_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self' ws: wss:",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')

/**
 * The admin client: its files, and its page at every other path that a browser asks a page of, because the client finds its way by the
 * path. Files have their contents' hash in their names, so browsers keep them; the page is asked for each time.
 */
export function adminRoute(folder: URL): RequestHandler {
  const files = sirv(fileURLToPath(folder), {
    etag: true,
    gzip: true,
    brotli: true,
    single: true,
    setHeaders: (response, path) => {
      response.setHeader('Content-Security-Policy', ADMIN_POLICY)
      response.setHeader(
        'Cache-Control',
        path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      )
    },
  })
  return (request, response, next) => {
    if ((request.method === 'GET' || request.method === 'HEAD') && wantsPage(request.headers.accept, request.path))
      files(request, response, next)
    else next()
  }
}

/** Files of the client, and what browsers ask for when somebody follows a link: not what a program asks for, which is to learn that nothing is there. */
const wantsPage = (accept: string | undefined, path: string): boolean =>
  /^\/(assets\/|icon\.svg$)/.test(path) || (accept ?? '').includes('text/html')
