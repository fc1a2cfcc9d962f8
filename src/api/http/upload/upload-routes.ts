import type { Request, RequestHandler, Response } from 'express'
import { AppError } from '../../../error.ts'
import type { Platform } from '../../../usecase/index.ts'
import type { ApiLimits } from '../../limits.ts'
import { presentThrown } from '../../present-error.ts'
import { isAllowedOrigin } from '../origin.ts'
import { refuse } from '../refuse.ts'
import { putFile } from './put-route.ts'
import { tusServer } from './tus-server.ts'

/** The ways into the spool. */
export interface UploadRoutes {
  /** `PUT /uploads/NAME`: a whole file. */
  readonly put: RequestHandler
  /** tus: `POST /uploads`, and `HEAD`, `PATCH`, `DELETE` of `/uploads/ID`. */
  readonly tus: RequestHandler
  /** Cuts resumable uploads: their clients go on when the server is there again. */
  cut(): void
  /** Cuts everything that is still being received, and waits until it is put in order. */
  end(): Promise<void>
}

/**
 * Uploads of files. No page of another origin can use them: browsers ask before PUT, PATCH, DELETE and the headers of tus, and get no answer
 * that they like; and a request that says it comes from such a page is refused.
 */
export function uploadRoutes(platform: Platform, limits: ApiLimits, allowedOrigins: readonly string[]): UploadRoutes {
  const ending = new AbortController()
  const receiving = new Set<Promise<void>>()
  const tus = tusServer(platform, limits.uploadIdleMs)
  let isStopping = false

  const tracked =
    (handle: (request: Request, response: Response) => Promise<void>): RequestHandler =>
    async (request, response) => {
      const handling = guarded(handle, request, response)
      receiving.add(handling)
      await handling
      receiving.delete(handling)
    }

  async function guarded(handle: typeof answerTus, request: Request, response: Response): Promise<void> {
    try {
      const { origin, host } = request.headers
      if (isAllowedOrigin(origin, host, allowedOrigins)) await handle(request, response)
      else
        refuse(
          request,
          response,
          { code: 'BAD_INPUT', message: `pages of ${origin!} may not upload; list the origin in the settings` },
          403,
        )
    } catch (error) {
      refuse(request, response, presentThrown(error, platform.log))
    }
  }

  async function answerTus(request: Request, response: Response): Promise<void> {
    if (isStopping) {
      // On a connection that is kept alive.
      response.set('Connection', 'close')
      refuse(request, response, { code: 'CONFLICT', message: 'the server is stopping; go on when it is back' }, 503)
      return
    }
    if (request.method === 'POST' && request.headers['tus-resumable'] === undefined)
      throw new AppError(
        'BAD_INPUT',
        'POST /uploads is for tus clients; a whole file goes to PUT /uploads/NAME (curl -T)',
      )
    if (request.headers.expect !== undefined) response.writeContinue()
    const { status, headers, error } = await tus.answer(request)
    for (const [name, value] of headers) response.set(name, value)
    if (error !== null) refuse(request, response, error, status)
    else {
      response.status(status).end()
      // What was cut off half-way is not read to its end.
      if (!request.complete) response.once('finish', () => request.destroy())
    }
  }

  return {
    put: tracked((request, response) => putFile(platform, limits.uploadIdleMs, request, response, ending.signal)),
    tus: tracked(answerTus),
    cut: () => {
      isStopping = true
      tus.cut()
    },
    end: async () => {
      tus.cut()
      ending.abort(new Error('the server stops'))
      await Promise.all(receiving)
    },
  }
}
