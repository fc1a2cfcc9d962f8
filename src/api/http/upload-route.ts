import type { Request, RequestHandler, Response } from 'express'
import { AppError } from '../../error.ts'
import type { UploadRow } from '../../store/index.ts'
import { receiveUpload, type Platform } from '../../usecase/index.ts'
import type { ApiLimits } from '../limits.ts'
import { encodeId } from '../object-id.ts'
import { presentThrown } from '../present-error.ts'
import { refuse } from './refuse.ts'

/** Uploads that are being received, for whoever has to wait until they are cleaned up. */
export interface UploadRoute {
  readonly handle: RequestHandler
  /** Cuts those that are still being received, and waits until nothing is left of them. */
  end(): Promise<void>
}

/**
 * `POST /uploads?filename=NAME`: the body is the file. Only `application/octet-stream` is taken, which no page of another origin
 * can send without asking first.
 */
export function uploadRoute(platform: Platform, limits: ApiLimits): UploadRoute {
  const ending = new AbortController()
  const receiving = new Set<Promise<void>>()

  async function handle(request: Request, response: Response): Promise<void> {
    try {
      const upload = await receive(platform, limits, request, response, ending.signal)
      response.status(201).json({
        uploadId: encodeId('Upload', upload.id),
        fileName: upload.fileName,
        bytes: Number(upload.bytes),
        sha256: upload.sha256,
      })
    } catch (error) {
      refuse(request, response, presentThrown(error, platform.log))
    }
  }

  return {
    handle: async (request, response) => {
      const handling = handle(request, response)
      receiving.add(handling)
      await handling
      receiving.delete(handling)
    },
    end: async () => {
      ending.abort(new Error('the server stops'))
      await Promise.all(receiving)
    },
  }
}

async function receive(
  platform: Platform,
  limits: ApiLimits,
  request: Request,
  response: Response,
  ending: AbortSignal,
): Promise<UploadRow> {
  const { headers, query } = request
  if (headers['content-type']?.split(';')[0]?.trim().toLowerCase() !== 'application/octet-stream')
    throw new AppError('BAD_INPUT', 'send the file itself as the body, with `Content-Type: application/octet-stream`')
  if (headers['content-encoding'] !== undefined)
    throw new AppError('BAD_INPUT', 'send the file as it is, without Content-Encoding')
  const { filename } = query
  if (typeof filename !== 'string' || filename === '')
    throw new AppError('BAD_INPUT', 'name the file once: POST /uploads?filename=NAME')
  const length = headers['content-length']
  const expectedBytes = length === undefined ? undefined : Number(length)
  if (expectedBytes !== undefined && expectedBytes > platform.limits.uploadBytes)
    throw new AppError(
      'LIMIT_EXCEEDED',
      `${filename}: the file has ${expectedBytes} bytes; at most ${platform.limits.uploadBytes} are taken`,
    )
  // A client that asked first sends its bytes only now.
  if (headers.expect !== undefined) response.writeContinue()

  const gone = new AbortController()
  response.once('close', () => gone.abort(new Error('the client is gone')))
  return await receiveUpload(platform, {
    fileName: filename,
    body: pieces(request, limits.uploadIdleMs),
    expectedBytes,
    expectedSha256: request.get('x-content-sha256'),
    signal: AbortSignal.any([gone.signal, ending]),
  })
}

/**
 * The body as it comes. Only the time in which we wait for the client counts as its silence: a disk that is slow to write or to flush is
 * not its fault. Stopping early leaves the request open, for it has to be answered.
 */
async function* pieces(request: Request, idleMs: number): AsyncGenerator<Uint8Array, void> {
  const iterator = request.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array, undefined>
  try {
    for (;;) {
      const timer = setTimeout(() => request.destroy(new Error(`no byte came for ${idleMs} ms`)), idleMs)
      const piece = await iterator.next().finally(() => clearTimeout(timer))
      if (piece.done === true) return
      yield piece.value
    }
  } finally {
    await iterator.return?.()
  }
}
