import { randomUUID } from 'node:crypto'

import type pg from 'pg'

import { CHANNELS } from '../listener.ts'
import { createWake, type Wake } from '../wake.ts'
import { WORKER_IS_ALIVE } from '../workers.ts'
import type { AskOutcome, NewPrediction } from './prediction-queue.ts'

/** Without a notification, the answer is looked for as often. */
const POLL_MS = 1_000
/** Workers that may die over one question: the question may be what kills them. */
export const MOST_ATTEMPTS = 3

/** Questions of this process that wait for their answers: what a notification wakes. */
export type Waiting = Map<string, Wake>

const INSERT = `
  with asked as (
    insert into "Prediction" (id, request, inputs, place, affinity, "expiresAt")
    select $1::uuid, $2::json, $3::bytea, $4::text, $5::text, now() + $6::float8 * interval '1 millisecond'
    where exists (select from "Checkpoint" where id = $7::uuid)
    returning id
  )
  select pg_notify('${CHANNELS.predictionAsked}', $8::text) from asked`

interface Row {
  readonly answer: unknown
  readonly logits: Uint8Array | null
}

/** Asks and waits. Disposes of the row whatever happens. */
export async function ask(
  pool: pg.Pool,
  waiting: Waiting,
  { request, inputs, place, affinity, checkpointId }: NewPrediction,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<AskOutcome> {
  const id = randomUUID()
  const wake = createWake()
  const until = performance.now() + timeoutMs
  // Before the question is there: its answer may come at once.
  waiting.set(id, wake)
  let left = false
  try {
    const hint = [id, affinity, place].join(' ')
    const values = [id, JSON.stringify(request), bytesOf(inputs), place, affinity, timeoutMs, checkpointId, hint]
    const { rowCount } = await pool.query({ name: 'ask-prediction', text: INSERT, values })
    if (rowCount === 0) return { kind: 'NO_CHECKPOINT' }
    left = true
    for (let seen = 0; ;) {
      const remaining = until - performance.now()
      if (remaining <= 0) break
      if (wake.sets === seen) await wake.wait(Math.min(POLL_MS, remaining), signal)
      seen = wake.sets
      signal?.throwIfAborted()
      const row = await take(pool, id)
      if (row !== null) {
        left = false
        return { kind: 'ANSWERED', answer: row.answer, logits: row.logits ?? new Uint8Array(0) }
      }
      const lost = await lostAttempts(pool, id)
      if (lost >= MOST_ATTEMPTS) return { kind: 'LOST', lost }
    }
    return { kind: 'TIMED_OUT', lost: await lostAttempts(pool, id) }
  } finally {
    waiting.delete(id)
    // Should this fail, the sweep does it.
    if (left) await pool.query('delete from "Prediction" where id = $1', [id]).catch(() => undefined)
  }
}

async function take(pool: pg.Pool, id: string): Promise<Row | null> {
  const text = 'delete from "Prediction" where id = $1 and answer is not null returning answer, logits'
  const { rows } = await pool.query<Row>({ name: 'take-answer', text, values: [id] })
  return rows[0] ?? null
}

/** Workers that took the question and died. */
async function lostAttempts(pool: pg.Pool, id: string): Promise<number> {
  const { rows } = await pool.query<{ lost: number }>(
    `select attempt - exists (
       select from "Worker" worker where worker.id = prediction."workerId" and ${WORKER_IS_ALIVE}
     )::int as lost
     from "Prediction" prediction where id = $1`,
    [id],
  )
  return rows[0]?.lost ?? 0
}

/** As pg takes bytes: without a copy. */
export const bytesOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
