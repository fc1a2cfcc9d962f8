import type { RequestHandler } from 'express'
import { liveWorkers, type Platform } from '../../usecase/index.ts'

/** Milliseconds that the database has to answer `/readyz`. */
const DATABASE_MS = 2_000

/** `/healthz`: the process lives and answers. */
export const healthRoute: RequestHandler = (_request, response) => {
  response.json({ ok: true })
}

/**
 * `/readyz`: 200 when requests can be served, else 503. That no worker lives is said and is no failure: runs wait for one.
 * @param stopping aborted when the server stops.
 */
export function readyRoute(platform: Platform, stopping: AbortSignal): RequestHandler {
  return async (_request, response) => {
    const database = await databaseState(platform)
    const ok = database.ok && !stopping.aborted
    response.status(ok ? 200 : 503).json({
      ok,
      database,
      ...(stopping.aborted ? { stopping: true } : {}),
      ...(database.ok ? { workers: await workerState(platform) } : {}),
    })
  }
}

async function databaseState({ store, log }: Platform) {
  try {
    const [state] = await withTimeout(
      store.prisma.$queryRaw<{ applied: number; unfinished: number }[]>`
        select count(*) filter (where finished_at is not null)::int as applied,
               count(*) filter (where finished_at is null and rolled_back_at is null)::int as unfinished
        from _prisma_migrations`,
    )
    const { applied = 0, unfinished = 0 } = state ?? {}
    return applied > 0 && unfinished === 0
      ? { ok: true, migrations: applied }
      : { ok: false, message: `${unfinished} migrations are not finished, ${applied} are applied` }
  } catch (error) {
    log.warn({ err: error }, 'the database did not answer /readyz')
    return { ok: false, message: 'the database does not answer, or has no tables' }
  }
}

async function workerState(platform: Platform) {
  const { length } = await liveWorkers(platform)
  return length > 0 ? { alive: length } : { alive: 0, message: 'no worker is alive: runs wait for one' }
}

async function withTimeout<T>(answer: PromiseLike<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${DATABASE_MS} ms`)), DATABASE_MS)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
