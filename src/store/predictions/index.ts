import type { Logger } from 'pino'

import { openPool } from '../connection.ts'
import { CHANNELS, type Listener } from '../listener.ts'
import { startAnswering, sweep } from './answer.ts'
import { ask, type Waiting } from './ask.ts'
import type { PredictionQueue } from './prediction-queue.ts'

export type {
  AnswerOptions,
  AskOutcome,
  NewPrediction,
  PredictionAnswer,
  PredictionQueue,
  TakenPrediction,
} from './prediction-queue.ts'

const CONNECTIONS = 4

/**
 * Opens the way that predictions take. It is not the queue of runs: a prediction is waited for, so that it is worth nothing after
 * seconds and must not wait for a run, and pg-boss writes each job several times to the disk.
 */
export function openPredictionQueue(
  databaseUrl: string,
  listener: Listener,
  log: Logger,
): PredictionQueue & AsyncDisposable {
  const pool = openPool(databaseUrl, CONNECTIONS, log)
  const waiting: Waiting = new Map()
  listener.add({
    heard: (channel, payload) => {
      if (channel === CHANNELS.predictionAnswered) waiting.get(payload)?.set()
    },
    missed: () => {
      for (const wake of waiting.values()) wake.set()
    },
  })
  return {
    ask: (prediction, timeoutMs, signal) => ask(pool, waiting, prediction, timeoutMs, signal),
    work: (options) => startAnswering({ pool, listener, log }, options),
    sweep: () => sweep(pool),
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  }
}
