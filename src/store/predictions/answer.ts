import { setTimeout as delay } from 'node:timers/promises'

import type pg from 'pg'
import type { Logger } from 'pino'

import { CHANNELS, type Listener } from '../listener.ts'
import { createWake } from '../wake.ts'
import { WORKER_IS_ALIVE } from '../workers.ts'
import { bytesOf, MOST_ATTEMPTS } from './ask.ts'
import type { AnswerOptions, PredictionAnswer, TakenPrediction } from './prediction-queue.ts'

/** How long workers that would first have to load a session leave a question to those that have it. */
const COLD_DELAY_MS = 20
/** … and by how much more at random, so that not all of them come at once. */
const COLD_JITTER_MS = 10
/** How often questions are looked for that were missed, or whose worker has died. */
const LOOK_MS = 1_000
/** How often questions of those who are gone are removed. */
const SWEEP_MS = 60_000
/** Questions that a worker knows of and cannot take yet: more of them are found by looking. */
const MOST_HINTS = 1_000
/** An answer that the database does not take is tried again … */
const RETRIES = 3
const RETRY_MS = 200

/** What answering needs. */
export interface AnswerContext {
  readonly pool: pg.Pool
  readonly listener: Listener
  readonly log: Logger
}

/** A row that was claimed. */
interface Claim {
  readonly id: string
  readonly attempt: number
  readonly request: unknown
  readonly inputs: Uint8Array
  readonly remainingMs: number
}

const CLAIMED = `returning id, attempt, request, inputs,
  (extract(epoch from "expiresAt" - now()) * 1000)::float8 as "remainingMs"`

/** The question $2 for the worker $1, if nobody has it. */
const CLAIM_ONE = `
  update "Prediction" set "workerId" = $1, attempt = attempt + 1
  where id = $2 and "workerId" is null and answer is null and "expiresAt" > now() and attempt < ${MOST_ATTEMPTS} ${CLAIMED}`

/** The oldest question that no live worker has and that is for one of the places $2. Of all who look, each gets another one. */
const CLAIM_ANY = `
  update "Prediction" set "workerId" = $1, attempt = attempt + 1
  where id = (
    select id from "Prediction" prediction
    where answer is null and "expiresAt" > now() and attempt < ${MOST_ATTEMPTS} and place = any($2)
      and ("workerId" is null or not exists (
        select from "Worker" worker where worker.id = prediction."workerId" and ${WORKER_IS_ALIVE}
      ))
    order by "createdAt" limit 1 for update skip locked
  ) ${CLAIMED}`

/** Fenced: an answer counts only of the worker, and the attempt, that has the question now. */
const ANSWER = `
  with answered as (
    update "Prediction" set answer = $4, logits = $5
    where id = $1 and "workerId" = $2 and attempt = $3 and answer is null returning id
  )
  select pg_notify('${CHANNELS.predictionAnswered}', id::text) from answered`

/** Gives a question back; $4 is 1 when it is not the question's fault, and the attempt does not count. */
const HAND_ON = `
  with handed as (
    update "Prediction" set "workerId" = null, attempt = attempt - $4::int
    where id = $1 and "workerId" = $2 and attempt = $3 and answer is null returning id, affinity, place
  )
  select pg_notify('${CHANNELS.predictionAsked}', concat_ws(' ', id, affinity, place)) from handed`

/** Removes questions that nobody waits for any more; how many. */
export async function sweep(pool: pg.Pool): Promise<number> {
  const text = `delete from "Prediction" where "expiresAt" < now() - interval '10 seconds'`
  return (await pool.query(text)).rowCount ?? 0
}

/** Answers questions until stopped. */
export function startAnswering(
  { pool, listener, log }: AnswerContext,
  options: AnswerOptions,
): { stop(finishMs: number): Promise<void> } {
  const { workerId, places, atOnce, isWarm, onPrediction } = options
  const hints: string[] = []
  const cold = new Map<string, NodeJS.Timeout>()
  const inHand = new Set<Promise<void>>()
  const wake = createWake()
  /** No question is taken any more. */
  const stopping = new AbortController()
  /** What is in hand is handed on. */
  const now = new AbortController()

  const hint = (id: string) => {
    if (hints.length < MOST_HINTS) hints.push(id)
    wake.set()
  }
  const remove = listener.add({
    heard(channel, payload) {
      if (channel === CHANNELS.predictionAnswered) {
        clearTimeout(cold.get(payload))
        cold.delete(payload)
        return
      }
      if (channel !== CHANNELS.predictionAsked) return
      const [id = '', affinity = '', place = ''] = payload.split(' ')
      if (!places.includes(place)) return
      if (isWarm(affinity) && inHand.size < atOnce) hint(id)
      else if (cold.size < MOST_HINTS)
        cold.set(
          id,
          setTimeout(
            () => {
              cold.delete(id)
              hint(id)
            },
            COLD_DELAY_MS + Math.random() * COLD_JITTER_MS,
          ),
        )
    },
    missed: () => wake.set(),
  })

  async function loop(): Promise<void> {
    let lookedAt = 0
    let sweptAt = Date.now()
    while (!stopping.signal.aborted) {
      if (inHand.size >= atOnce) {
        await Promise.race(inHand)
        continue
      }
      const seen = wake.sets
      try {
        const id = hints.shift()
        const look = id === undefined && Date.now() - lookedAt >= LOOK_MS
        const claim = id === undefined ? (look ? await claimAny() : null) : await claimOne(id)
        if (claim !== null) {
          begin(claim)
          continue
        }
        if (look) lookedAt = Date.now()
        if (Date.now() - sweptAt > SWEEP_MS) {
          sweptAt = Date.now()
          await sweep(pool)
        }
        // Others may have taken what this worker heard of.
        if (hints.length === 0 && wake.sets === seen) await wake.wait(LOOK_MS, stopping.signal)
      } catch (error) {
        log.error({ err: error }, 'predictions could not be taken; trying again')
        await delay(LOOK_MS, null, { signal: stopping.signal }).catch(() => undefined)
      }
    }
  }

  const claimOne = async (id: string) =>
    (await pool.query<Claim>({ name: 'claim-prediction', text: CLAIM_ONE, values: [workerId, id] })).rows[0] ?? null
  const claimAny = async () =>
    (await pool.query<Claim>({ name: 'claim-any-prediction', text: CLAIM_ANY, values: [workerId, places] })).rows[0] ??
    null

  function begin(claim: Claim): void {
    const work = answerOne(claim).catch((error: unknown) =>
      log.error({ err: error, predictionId: claim.id }, 'a prediction was not answered'),
    )
    const done = work.finally(() => inHand.delete(done))
    inHand.add(done)
  }

  async function answerOne({ attempt, ...claim }: Claim): Promise<void> {
    const taken: TakenPrediction = { ...claim, signal: now.signal }
    let answer: PredictionAnswer
    try {
      answer = await onPrediction(taken)
    } catch (error) {
      if (!now.signal.aborted) log.error({ err: error, predictionId: claim.id }, 'a prediction is handed on')
      await persist(HAND_ON, [claim.id, workerId, attempt, now.signal.aborted ? 1 : 0])
      return
    }
    const values = [claim.id, workerId, attempt, JSON.stringify(answer.answer), bytesOf(answer.logits)]
    await persist(ANSWER, values)
  }

  async function persist(text: string, values: readonly unknown[]): Promise<void> {
    for (let tries = 1; ; tries++)
      try {
        await pool.query({
          name: text === ANSWER ? 'answer-prediction' : 'hand-on-prediction',
          text,
          values: [...values],
        })
        return
      } catch (error) {
        if (tries === RETRIES) throw error
        await delay(RETRY_MS)
      }
  }

  const running = loop()
  return {
    async stop(finishMs) {
      stopping.abort()
      remove()
      for (const timer of cold.values()) clearTimeout(timer)
      const timer = setTimeout(() => now.abort(new Error('the worker stops')), finishMs)
      await running
      await Promise.all(inHand)
      clearTimeout(timer)
    },
  }
}
