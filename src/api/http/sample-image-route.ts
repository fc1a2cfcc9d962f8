import type { RequestHandler } from 'express'
import { AppError } from '../../error.ts'
import { sampleImage, type Platform } from '../../usecase/index.ts'
import { decodeId } from '../object-id.ts'

/** `GET /datasets/ID/samples/ROW.png`: a sample of a dataset as an image. A version of a dataset never changes, so a browser may keep it. */
export function sampleImageRoute(platform: Platform): RequestHandler {
  return async (request, response) => {
    const { id, file } = request.params
    const row = /^(\d{1,16})\.png$/.exec(typeof file === 'string' ? file : '')?.[1]
    if (row === undefined)
      throw new AppError('NOT_FOUND', 'a sample is at /datasets/ID/samples/ROW.png, rows being counted from 0')
    const png = await sampleImage(platform, decodeId('Dataset', typeof id === 'string' ? id : ''), Number(row))
    response.set({ 'Content-Type': 'image/png', 'Cache-Control': 'private, max-age=86400, immutable' }).end(png)
  }
}
