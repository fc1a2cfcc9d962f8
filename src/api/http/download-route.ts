import type { Request, RequestHandler, Response } from 'express'
import { once } from 'node:events'
import { AppError } from '../../error.ts'
import { openDownload, type Download, type Platform } from '../../usecase/index.ts'
import type { ApiLimits } from '../limits.ts'
import { decodeId } from '../object-id.ts'
import { presentThrown } from '../present-error.ts'
import { matchesTag, parseRange, type ByteSpan } from './byte-range.ts'
import { coalesce } from './coalesce.ts'
import { downloadInput } from './download-query.ts'
import { refuse } from './refuse.ts'

/**
 * `GET /checkpoints/ID/download?…`: the checkpoint as a file, streamed from the database with exact length, strong entity tag, hash,
 * and ranges (RFC 9110). Nothing is buffered: a client that reads slowly slows the database down, and one that goes away frees it.
 */
export function downloadRoute(platform: Platform, limits: ApiLimits, stopping: AbortSignal): RequestHandler {
  return async (request, response) => {
    const gone = new AbortController()
    response.once('close', () => gone.abort(new Error('the client is gone')))
    const signal = AbortSignal.any([gone.signal, stopping])
    try {
      await answer(platform, limits, request, response, signal)
    } catch (error) {
      if (signal.aborted) response.destroy()
      else if (response.headersSent) {
        // The length was promised: cutting the connection is how to say that it will not be kept.
        platform.log.error({ err: error, path: request.path }, 'a download was cut')
        response.destroy()
      } else {
        for (const name of FILE_HEADERS) response.removeHeader(name)
        refuse(request, response, presentThrown(error, platform.log))
      }
    }
  }
}

/** Headers that speak of the file and not of an error. */
const FILE_HEADERS = ['Content-Disposition', 'Content-Type', 'ETag', 'Repr-Digest', 'X-Content-SHA256', 'Accept-Ranges']

async function answer(
  platform: Platform,
  limits: ApiLimits,
  request: Request,
  response: Response,
  signal: AbortSignal,
): Promise<void> {
  const { headers } = request
  const id = request.params['id']
  const query = new URL(request.url, 'http://localhost').searchParams
  const checkpointId = decodeId('Checkpoint', typeof id === 'string' ? id : '')
  const download = await openDownload(platform, checkpointId, downloadInput(query))
  const etag = `"${download.etag}"`
  response.set({ ETag: etag, 'Accept-Ranges': 'bytes' })
  if (
    headers['if-match'] !== undefined &&
    !matchesTag(headers['if-match'], etag, false) &&
    headers['if-match'] !== '*'
  ) {
    refuse(
      request,
      response,
      { code: 'CONFLICT', message: `the file has the entity tag ${etag} and not the one of If-Match; begin again` },
      412,
    )
    return
  }
  if (matchesTag(headers['if-none-match'], etag, true)) {
    response.status(304).end()
    return
  }
  const span = spanOf(request, etag, download.byteLength)
  if (span === 'unsatisfiable') {
    response.set('Content-Range', `bytes */${download.byteLength}`)
    refuse(
      request,
      response,
      { code: 'BAD_INPUT', message: `the file has ${download.byteLength} bytes, and Range asks for none of them` },
      416,
    )
    return
  }
  response.set({ 'Content-Type': 'application/octet-stream', 'Content-Disposition': disposition(download.fileName) })
  const sha256 = await digestOf(download, limits, headers['want-repr-digest'], signal)
  if (sha256 !== null)
    response.set({
      'Repr-Digest': `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`,
      'X-Content-SHA256': sha256,
    })
  const { start, end } = span ?? { start: 0, end: download.byteLength }
  response.set('Content-Length', String(end - start))
  if (span !== null) response.status(206).set('Content-Range', `bytes ${start}-${end - 1}/${download.byteLength}`)
  if (request.method === 'HEAD') response.end()
  else await send(response, download.read(start, end - start, signal), limits.downloadIdleMs, signal)
}

/** `If-Range` with another tag means: then all of it. Only entity tags are understood there, and dates never match. */
function spanOf({ headers }: Request, etag: string, size: number): ByteSpan | null | 'unsatisfiable' {
  const ifRange = headers['if-range']
  if (ifRange !== undefined && String(ifRange).trim() !== etag) return null
  return parseRange(headers.range, size)
}

/**
 * The hash of the whole file. Where it is not known it takes a read of the file, once: done before the first byte for files that are not
 * large, and for others only when the client asks (`Want-Repr-Digest`, RFC 9530), so that nobody waits for what he does not want.
 */
async function digestOf(
  download: Download,
  limits: ApiLimits,
  wanted: string | string[] | undefined,
  signal: AbortSignal,
): Promise<string | null> {
  const asked = /(?:^|,)\s*sha-256\s*(?:=\s*(?:[1-9]|10)\b|(?=,|$))/i.test(String(wanted ?? ''))
  return asked || download.byteLength <= limits.hashFirstBytes ? download.sha256(signal) : download.knownSha256()
}

/** Sends pieces as fast as the client takes them; one that takes nothing for too long is cut off, and its connection to the database freed. */
async function send(
  response: Response,
  pieces: AsyncIterable<Uint8Array>,
  idleMs: number,
  signal: AbortSignal,
): Promise<void> {
  for await (const piece of coalesce(pieces)) {
    signal.throwIfAborted()
    if (response.write(piece)) continue
    const timer = setTimeout(() => {
      response.destroy(new AppError('LIMIT_EXCEEDED', `the client took nothing for ${idleMs} ms`))
    }, idleMs)
    try {
      await once(response, 'drain', { signal })
    } finally {
      clearTimeout(timer)
    }
  }
  response.end()
}

/** A file name for every client: plain characters, and all of them (RFC 6266). */
function disposition(fileName: string): string {
  const plain = fileName.replace(/[^\x20-\x7e]|["\\%]/g, '_')
  const encoded = encodeURIComponent(Buffer.from(fileName, 'utf8').toString('utf8')).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`
}
