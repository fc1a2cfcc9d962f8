import type { RequestHandler } from 'express'

/** What is where, for whoever opens the address of a server, and is no browser or finds no admin client. */
export const indexRoute: RequestHandler = (_request, response) => {
  response.json({ name: 'nograd', graphql: '/graphql', uploads: '/uploads', health: '/healthz', readiness: '/readyz' })
}
