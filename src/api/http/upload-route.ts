import { type RequestHandler } from 'express'
import { AppError } from '../../error.ts'
import { receiveUpload, type Platform } from '../../usecase/index.ts'
import type { ApiLimits } from '../limits.ts'
import { encodeId } from '../object-id.ts'
import { presentThrown } from '../present-error.ts'
import { refuse } from './refuse.ts'

/**
 * `POST /uploads?filename=NAME`: the body is the file. Only `application/octet-stream` is taken, which no page of another origin
 * can send without asking first.
 * @param stopping aborted when the server stops.
 */
export function uploadRoute(platform: Platform, limits: ApiLimits, stopping: AbortSignal): RequestHandler {
  return async (request, response) => {
    const gone = new AbortController()
    response.once('close', () => gone.abort(new Error('the client is gone')))
    request.setTimeout(limits.uploadIdleMs, () => request.destroy(new Error(`no byte for ${limits.uploadIdleMs} ms`)))
    try {
      if (request.headers['content-type']?.split(';')[0]?.trim().toLowerCase() !== 'application/octet-stream')
        throw new AppError(
          'BAD_INPUT',
          'send the file itself as the body, with `Content-Type: application/octet-stream`',
        )
      if (request.headers['content-encoding'] !== undefined)
        throw new AppError('BAD_INPUT', 'send the file as it is, without Content-Encoding')
      const { filename } = request.query
      if (typeof filename !== 'string' || filename === '')
        throw new AppError('BAD_INPUT', 'name the file once: POST /uploads?filename=NAME')
      const length = request.headers['content-length']
      const expectedBytes = length === undefined ? undefined : Number(length)
      if (expectedBytes !== undefined && expectedBytes > platform.limits.uploadBytes)
        throw new AppError(
          'LIMIT_EXCEEDED',
          `${filename}: the file has ${expectedBytes} bytes; at most ${platform.limits.uploadBytes} are taken`,
        )
      // A client that asked first sends its bytes only now.
      if (request.headers.expect !== undefined) response.writeContinue()
      const upload = await receiveUpload(platform, {
        fileName: filename,
        body: request,
        expectedBytes,
        expectedSha256: request.get('x-content-sha256'),
        signal: AbortSignal.any([gone.signal, stopping]),
      })
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
}
