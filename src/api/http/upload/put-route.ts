import type { Request, Response } from 'express'
import { AppError } from '../../../error.ts'
import { receiveUpload, type Platform } from '../../../usecase/index.ts'
import { encodeId } from '../../object-id.ts'
import { patiently } from './patiently.ts'

/**
 * `PUT /uploads/NAME`: the body is the file, all of it. What breaks off is thrown away.
 * @param ending aborted when the server stops
 */
export async function putFile(
  platform: Platform,
  idleMs: number,
  request: Request,
  response: Response,
  ending: AbortSignal,
): Promise<void> {
  const { headers } = request
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (type.startsWith('multipart/') || type === 'application/x-www-form-urlencoded')
    throw new AppError('BAD_INPUT', 'send the file itself as the body, not a form: curl -T FILE http://…/uploads/')
  if (headers['content-encoding'] !== undefined)
    throw new AppError('BAD_INPUT', 'send the file as it is, without Content-Encoding')
  if (headers['content-range'] !== undefined)
    throw new AppError('BAD_INPUT', 'PUT takes whole files; what has to be resumed goes through tus (docs/uploads.md)')
  const { name } = request.params
  const length = headers['content-length']

  const gone = new AbortController()
  response.once('close', () => gone.abort(new Error('the client is gone')))
  const upload = await receiveUpload(platform, {
    fileName: typeof name === 'string' ? name : '',
    body: body(request, response, idleMs),
    expectedBytes: length === undefined ? undefined : Number(length),
    expectedSha256: request.get('x-content-sha256'),
    signal: AbortSignal.any([gone.signal, ending]),
  })
  response.status(201).json({
    uploadId: encodeId('Upload', upload.id),
    fileName: upload.fileName,
    bytes: Number(upload.bytes),
    sha256: upload.sha256,
  })
}

/** The body as it comes. A client that asked first sends it only when the first piece is wanted. */
async function* body(request: Request, response: Response, idleMs: number): AsyncGenerator<Uint8Array, void> {
  if (request.headers.expect !== undefined) response.writeContinue()
  // Stopping early leaves the request open, for it has to be answered.
  const pieces = request.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Uint8Array>
  yield* patiently(pieces, idleMs, (error) => request.destroy(error))
}
