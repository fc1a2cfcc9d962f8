import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

import type pg from 'pg'
import type { Logger } from 'pino'

import { connect } from './connection.ts'

/** Channels of NOTIFY. Payloads are short hints (PostgreSQL takes 7,999 bytes at most); rows are the truth. */
export const CHANNELS = {
  /** An event of a run: `runId:seq`. */
  runEvent: 'nograd_run_event',
  /** A run was created or changed its status: `runId:modelId`. */
  runChanged: 'nograd_run_changed',
  /** Work on a run has to stop: `runId`. */
  runStopped: 'nograd_run_stopped',
  /** There may be a shard to claim. */
  shardReady: 'nograd_shard_ready',
  /** There may be an inspection to claim. */
  inspectionReady: 'nograd_inspection_ready',
  /** Somebody waits for a prediction: `id affinity place`. */
  predictionAsked: 'nograd_prediction_asked',
  /** A prediction is answered: `id`. */
  predictionAnswered: 'nograd_prediction_answered',
} as const

/** One of `CHANNELS`. */
export type Channel = (typeof CHANNELS)[keyof typeof CHANNELS]

/** Told what happens on the channels. */
export interface Hearer {
  heard(channel: Channel, payload: string): void
  /** Whatever was said while the connection was down is lost. `downSince` is when it was last known to be up. */
  missed(downSince: Date): void
}

/** The one connection of this process that listens. */
export interface Listener extends AsyncDisposable {
  /** Returns what takes the hearer off again. */
  add(hearer: Hearer): () => void
}

/** Between two attempts to connect: at first, at most. */
const RETRY_MS = { first: 20, most: 2_000 }
/** How often the connection is asked for a sign of life. */
const PING_MS = 10_000

/**
 * Listens on all channels. A connection that breaks is made again until the listener is disposed, and hearers are told that they
 * may have missed something.
 */
export async function openListener(databaseUrl: string, log: Logger): Promise<Listener> {
  const hearers = new Set<Hearer>()
  const stop = new AbortController()
  const disposed = (): boolean => stop.signal.aborted
  let { client, since } = await listen(databaseUrl, hearers)
  const running = keep()

  async function keep(): Promise<void> {
    for (;;) {
      const downSince = await lastAnswer(client, since)
      if (disposed()) return
      log.warn('the connection that listens for events was lost; connecting again')
      const next = await reconnect()
      if (next === null) return
      ;({ client, since } = next)
      // Disposed while it was made: whoever disposes waits for us, and ends it then.
      if (disposed()) return
      for (const hearer of hearers) hearer.missed(downSince)
    }
  }

  async function reconnect(): Promise<Listening | null> {
    for (let wait = RETRY_MS.first; !stop.signal.aborted; wait = Math.min(wait * 2, RETRY_MS.most)) {
      try {
        return await listen(databaseUrl, hearers)
      } catch (error) {
        log.debug({ err: error }, 'the database does not answer yet')
        await delay(wait, null, { signal: stop.signal }).catch(() => undefined)
      }
    }
    return null
  }

  return {
    add: (hearer) => {
      hearers.add(hearer)
      return () => void hearers.delete(hearer)
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      cut(client)
      await running
      // One that was made meanwhile.
      cut(client)
    },
  }
}

/**
 * Waits until the connection has ended; the last moment of which is known that everything before it was heard. One that is silent for too
 * long is ended: a dead peer says nothing.
 */
async function lastAnswer(client: pg.Client, since: Date): Promise<Date> {
  let heardUntil = since
  let answeredAt = Date.now()
  const ping = setInterval(() => {
    const asked = new Date()
    if (asked.getTime() - answeredAt > 2 * PING_MS) cut(client)
    else
      client.query('select').then(
        () => {
          heardUntil = asked
          answeredAt = Date.now()
        },
        () => undefined,
      )
  }, PING_MS)
  ping.unref()
  await new Promise((resolve) => client.once('end', resolve))
  clearInterval(ping)
  return heardUntil
}

/** Ends a connection without waiting for the other side. */
function cut(client: pg.Client): void {
  const { connection } = client as unknown as { connection: { stream: Socket } }
  connection.stream.destroy()
}

/** A connection that listens. */
interface Listening {
  readonly client: pg.Client
  /** Before it did: what happened later, and is not heard because the connection breaks before this process looks, was missed. */
  readonly since: Date
}

async function listen(databaseUrl: string, hearers: ReadonlySet<Hearer>): Promise<Listening> {
  const since = new Date()
  const client = await connect(databaseUrl, 'nograd listener')
  client.on('notification', ({ channel, payload }) => {
    for (const hearer of hearers) hearer.heard(channel as Channel, payload ?? '')
  })
  try {
    await client.query(
      Object.values(CHANNELS)
        .map((channel) => `listen ${channel}`)
        .join('; '),
    )
  } catch (error) {
    await client.end().catch(() => undefined)
    throw error
  }
  return { client, since }
}
