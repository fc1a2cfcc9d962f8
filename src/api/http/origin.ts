import type { RequestHandler } from 'express'

/**
 * Whether a request may come from a page of this origin. Without `Origin` it is no page: command lines, servers. A page of the same
 * host and port is ours; others have to be listed.
 */
export function isAllowedOrigin(
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[],
): boolean {
  if (origin === undefined || allowed.includes(origin)) return true
  // `null` is what sandboxed and local pages send.
  if (!URL.canParse(origin)) return false
  return host !== undefined && new URL(origin).host === normalHost(host, new URL(origin).protocol)
}

/** A `Host` header as `URL.host` writes it: lower case, without the scheme's own port. */
function normalHost(host: string, protocol: string): string | null {
  const url = `${protocol}//${host}`
  return URL.canParse(url) ? new URL(url).host : null
}

/** Headers of tus requests and answers. */
const TUS_QUESTIONS = 'Tus-Resumable, Upload-Length, Upload-Metadata, Upload-Offset'
const TUS_ANSWERS =
  'Location, Tus-Extension, Tus-Max-Size, Tus-Resumable, Tus-Version, Upload-Expires, Upload-Id, Upload-Length, Upload-Metadata, Upload-Offset'

/** Headers of downloads. */
const DOWNLOAD_ANSWERS = 'Accept-Ranges, Content-Disposition, Content-Range, ETag, Repr-Digest, X-Content-SHA256'

/** CORS for pages of listed origins. Without a list no page of another origin reads or sends anything: browsers ask first. */
export function cors(allowed: readonly string[]): RequestHandler {
  return (request, response, next) => {
    if (allowed.length > 0) response.vary('Origin')
    const origin = request.get('origin')
    if (origin === undefined || !allowed.includes(origin)) {
      next()
      return
    }
    response.set({
      'Access-Control-Allow-Origin': origin,
      'Access-Control-Expose-Headers': `${DOWNLOAD_ANSWERS}, ${TUS_ANSWERS}`,
      'Cross-Origin-Resource-Policy': 'cross-origin',
    })
    if (request.method !== 'OPTIONS') {
      next()
      return
    }
    response
      .set({
        'Access-Control-Allow-Methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
        'Access-Control-Allow-Headers': `Content-Type, X-Content-SHA256, Apollo-Require-Preflight, ${TUS_QUESTIONS}`,
        'Access-Control-Max-Age': '600',
      })
      .status(204)
      .end()
  }
}
