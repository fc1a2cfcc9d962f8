import type { ApolloServer } from '@apollo/server'
import { expressMiddleware } from '@as-integrations/express5'
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express'
import { AppError } from '../../error.ts'
import type { Platform, Predictor } from '../../usecase/index.ts'
import { createContext, type Context } from '../context.ts'
import type { ApiLimits } from '../limits.ts'
import { presentThrown } from '../present-error.ts'
import { adminRoute } from './admin-route.ts'
import { downloadRoute } from './download-route.ts'
import { explorerRoute } from './explorer-route.ts'
import { healthRoute, readyRoute } from './health-routes.ts'
import { indexRoute } from './index-route.ts'
import { cors } from './origin.ts'
import { refuse } from './refuse.ts'
import { sampleImageRoute } from './sample-image-route.ts'
import { securityHeaders } from './security-headers.ts'
import { UPLOADS_PATH } from './upload/tus-server.ts'
import type { UploadRoutes } from './upload/upload-routes.ts'

/** What the HTTP side is made of. */
export interface AppOptions {
  readonly platform: Platform
  readonly predictor: Predictor
  readonly graphql: ApolloServer<Context>
  readonly uploads: UploadRoutes
  readonly limits: ApiLimits
  /** Whether there is an explorer. */
  readonly development: boolean
  /** Folder of the admin client as it was built; null where there is none. */
  readonly admin: URL | null
  readonly allowedOrigins: readonly string[]
  /** Aborted when the server stops. */
  readonly stopping: AbortSignal
}

/** Every path that there is over HTTP. Whatever goes wrong is answered as JSON. */
export function createApp({
  platform,
  predictor,
  graphql,
  uploads,
  limits,
  development,
  admin,
  allowedOrigins,
  stopping,
}: AppOptions): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', 'simple')
  app.use(securityHeaders)
  app.use(cors(allowedOrigins))

  app.route(UPLOADS_PATH).post(uploads.tus).options(uploads.tus).put(uploads.put).all(onlyMethod('POST', 'PUT'))
  app
    .route(`${UPLOADS_PATH}/:name`)
    .put(uploads.put)
    .head(uploads.tus)
    .patch(uploads.tus)
    .delete(uploads.tus)
    .all(onlyMethod('PUT', 'HEAD', 'PATCH', 'DELETE'))

  app.use(arriveInTime(limits.requestMs))
  app
    .route('/graphql')
    .post(
      onlyJson,
      express.json({ limit: limits.requestBytes, type: 'application/json' }),
      expressMiddleware<Context>(graphql, { context: () => Promise.resolve(createContext(platform, predictor)) }),
    )
    .all(onlyMethod('POST'))
  app
    .route('/checkpoints/:id/download')
    .get(downloadRoute(platform, limits, stopping))
    .all(onlyMethod('GET', 'HEAD'))
  app.route('/healthz').get(healthRoute).all(onlyMethod('GET', 'HEAD'))
  app.route('/readyz').get(readyRoute(platform, stopping)).all(onlyMethod('GET', 'HEAD'))
  app.route('/datasets/:id/samples/:file').get(sampleImageRoute(platform)).all(onlyMethod('GET', 'HEAD'))
  if (development) app.route('/explorer').get(explorerRoute()).all(onlyMethod('GET', 'HEAD'))
  if (admin !== null) app.use(adminRoute(admin))
  app.route('/').get(indexRoute).all(onlyMethod('GET', 'HEAD'))

  app.use((request, response) => {
    refuse(request, response, {
      code: 'NOT_FOUND',
      message: `there is nothing at ${request.path}; GraphQL is at /graphql`,
    })
  })
  app.use(answerError(platform, limits))
  return app
}

/** GraphQL comes as JSON: what a form of a foreign page can send is refused before it is read. */
const onlyJson: RequestHandler = (request, response, next) => {
  if (request.is('application/json') !== false) next()
  else
    refuse(
      request,
      response,
      { code: 'BAD_INPUT', message: 'send {"query": …, "variables": …} with `Content-Type: application/json`' },
      415,
    )
}

const onlyMethod =
  (...methods: readonly string[]): RequestHandler =>
  (request, response) => {
    response.set('Allow', methods.join(', '))
    const message = `${request.path} takes ${methods.join(', ')}, not ${request.method}`
    refuse(request, response, { code: 'BAD_INPUT', message }, 405)
  }

/** Cuts off a client that sends its request too slowly. Uploads have their own measure. */
const arriveInTime =
  (limitMs: number): RequestHandler =>
  (request, response, next) => {
    // A client that asked first sends its body only now.
    if (request.headers.expect !== undefined) response.writeContinue()
    if (!request.complete) {
      const timer = setTimeout(() => {
        if (!request.complete)
          request.destroy(new AppError('LIMIT_EXCEEDED', `the request did not arrive in ${limitMs} ms`))
      }, limitMs)
      request.once('close', () => clearTimeout(timer))
    }
    next()
  }

/** What body-parser throws, by its `type`. Source: https://github.com/expressjs/body-parser#errors */
function describeBodyError(error: unknown, limits: ApiLimits): { status: number; error: AppError } | null {
  if (typeof error !== 'object' || error === null || !('type' in error)) return null
  switch (error.type) {
    case 'entity.too.large':
      return {
        status: 413,
        error: new AppError(
          'LIMIT_EXCEEDED',
          `the request is larger than ${limits.requestBytes} bytes; files go to PUT /uploads/NAME`,
        ),
      }
    case 'entity.parse.failed':
      return { status: 400, error: new AppError('BAD_INPUT', 'the body is no JSON object: it does not parse') }
    case 'encoding.unsupported':
    case 'charset.unsupported':
      return { status: 415, error: new AppError('BAD_INPUT', 'send the body as UTF-8, plain, gzip, deflate or br') }
    case 'request.aborted':
    case 'request.size.invalid':
      return { status: 400, error: new AppError('BAD_INPUT', 'the body has another length than announced') }
    default:
      return null
  }
}

const answerError =
  (platform: Platform, limits: ApiLimits): ErrorRequestHandler =>
  (error: unknown, request, response, next) => {
    if (response.headersSent) {
      // Express closes the connection: there is nothing else left to say.
      next(error)
      return
    }
    const ofBody = describeBodyError(error, limits)
    if (ofBody !== null) refuse(request, response, presentThrown(ofBody.error, platform.log), ofBody.status)
    else if (error instanceof URIError || (error instanceof Error && 'status' in error && error.status === 400))
      refuse(request, response, { code: 'BAD_INPUT', message: 'the address or the body does not parse' }, 400)
    else refuse(request, response, presentThrown(error, platform.log))
  }
