import { Readable } from 'node:stream'
import { Server } from '@tus/server'
import type { Request as ExpressRequest } from 'express'
import { AppError } from '../../../error.ts'
import { SpooledElsewhere, timeOrderedId, type Platform } from '../../../usecase/index.ts'
import { decodeId, encodeId } from '../../object-id.ts'
import { presentThrown, type PresentedError } from '../../present-error.ts'
import { statusOf } from '../refuse.ts'
import { tusLocker, UploadIsTaken } from './tus-locker.ts'
import { TusStore } from './tus-store.ts'

/** Where uploads are. */
export const UPLOADS_PATH = '/uploads'

/** What the tus server answers. */
export interface TusAnswer {
  readonly status: number
  readonly headers: Headers
  /** Null for an answer without one; what went wrong otherwise. */
  readonly error: PresentedError | null
}

/** The tus protocol over the spool. Source: https://tus.io/protocols/resumable-upload, version 1.0.0. */
export interface TusServer {
  answer(request: ExpressRequest): Promise<TusAnswer>
  /** Ends what is being received; what has arrived is kept. */
  cut(): void
}

/** @param idleMs after which a client that sends nothing is cut off */
export function tusServer(platform: Platform, idleMs: number): TusServer {
  const locker = tusLocker(platform)
  const server = new Server({
    path: UPLOADS_PATH,
    datastore: new TusStore(platform, locker, idleMs),
    locker,
    // What was asked to give way does so at once: all that has arrived is kept in any case.
    lockDrainTimeout: 1,
    maxSize: platform.limits.uploadBytes,
    relativeLocation: true,
    // CORS is not the library's to decide (origin.ts).
    allowedOrigins: () => false,
    namingFunction: () => encodeId('Upload', timeOrderedId(platform.clock())),
    onIncomingRequest: (_request, id) => {
      decodeId('Upload', id)
      return Promise.resolve()
    },
    onResponseError: (_request, error) => describe(error, platform),
  })
  return {
    async answer(request) {
      const response = await server.handleWeb(webRequest(request))
      const { status, headers } = response
      for (const name of [...headers.keys()])
        if (/^(access-control-|content-(type|length)$)/.test(name)) headers.delete(name)
      const id = idOf(request, headers)
      if (id !== null && status < 400) headers.set('Upload-Id', id)
      return { status, headers, error: status < 400 ? null : readError(status, await response.text()) }
    },
    cut: () => locker.releaseAll(),
  }
}

/** The request as the library reads it: as the platform’s `fetch` would. */
function webRequest(request: ExpressRequest): Request {
  const { method } = request
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value)
  const url = `http://localhost${request.originalUrl}`
  if (method !== 'POST' && method !== 'PATCH') return new Request(url, { method, headers })
  const body = Readable.toWeb(request) as ReadableStream<Uint8Array>
  return new Request(url, { method, headers, body, duplex: 'half' } as RequestInit)
}

/** The id of the upload that a request made or named. */
function idOf(request: ExpressRequest, headers: Headers): string | null {
  const { name } = request.params
  return headers.get('location')?.split('/').at(-1) ?? (typeof name === 'string' ? name : null)
}

/** What the library is to answer instead of its own words. */
function describe(
  error: Error | { readonly status_code: number; readonly body: string },
  platform: Platform,
): { status_code: number; body: string } {
  if (!(error instanceof AppError) && 'status_code' in error) {
    if (error.status_code !== 413) return error
    const message = `the file has more than ${platform.limits.uploadBytes} bytes, which is what is taken at most`
    return { status_code: 413, body: JSON.stringify({ code: 'LIMIT_EXCEEDED', message } satisfies PresentedError) }
  }
  const presented = presentThrown(error, platform.log)
  const status =
    error instanceof UploadIsTaken ? 423 : error instanceof SpooledElsewhere ? 421 : statusOf(presented.code)
  return { status_code: status, body: JSON.stringify(presented) }
}

/** Ours is JSON; what the library says by itself is text. */
function readError(status: number, text: string): PresentedError {
  if (text.startsWith('{')) return JSON.parse(text) as PresentedError
  const code =
    status === 404 || status === 410
      ? 'NOT_FOUND'
      : status === 409
        ? 'CONFLICT'
        : status === 413
          ? 'LIMIT_EXCEEDED'
          : 'BAD_INPUT'
  return { code, message: `tus: ${text.trim()}` }
}
