import type { Logger } from 'pino'

import type { RunEventRow } from '../rows.ts'
import { createWake, type Wake } from '../wake.ts'

/** Reads the events of a run behind a number, in order, at most `limit`. */
export type ReadEvents = (runId: string, after: number, limit: number) => Promise<readonly RunEventRow[]>

/** Notifications may be lost with a connection; this often the table is asked anyway. */
const POLL_MS = 5_000
const RETRY_MS = 250
/** Events of one statement, and events kept for subscribers that come a little later. */
const BATCH = 500
const KEPT = 1_000

/**
 * The events of one run in this process: read once from the database, however many subscribers follow it. It lives from the first
 * subscriber to the last.
 */
export class RunFeed {
  readonly #runId: string
  readonly #read: ReadEvents
  readonly #log: Logger
  readonly #stop = new AbortController()
  /** Set by notifications, waited for by the feed. */
  readonly #notified: Wake = createWake()
  /** Set by the feed, waited for by subscribers. */
  readonly #arrived: Wake = createWake()
  /** The last events, in order without a gap: those behind `#floor`, up to `#last`. */
  #kept: RunEventRow[] = []
  #floor = 0
  #last = 0
  /** How often `#notified` was set when the table was last read. */
  #seen = 0
  #begun = false

  constructor(runId: string, read: ReadEvents, log: Logger) {
    this.#runId = runId
    this.#read = read
    this.#log = log
  }

  /** There may be new events. */
  notify(): void {
    this.#notified.set()
  }

  /** Starts reading behind a number, once. Events from before it are no business of the feed. */
  begin(seq: number): void {
    if (this.#begun) return
    this.#begun = true
    this.#floor = this.#last = seq
    void this.#run()
  }

  /** Waits for events behind a number. Some of them, in order without a gap; none when the signal is aborted or the feed closed. */
  async after(seq: number, signal: AbortSignal | undefined): Promise<readonly RunEventRow[]> {
    while (!signal?.aborted && !this.#stop.signal.aborted) {
      // Too old for what is kept: the subscriber came with a number, or is slow.
      if (seq < this.#floor) return this.#read(this.#runId, seq, BATCH)
      if (seq < this.#last) return this.#kept.slice(seq - this.#floor)
      await this.#arrived.wait(POLL_MS, signal)
    }
    return []
  }

  /** Stops reading, and ends whoever waits. */
  close(): void {
    this.#stop.abort()
    this.#arrived.set()
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      if (this.#seen === this.#notified.sets) await this.#notified.wait(POLL_MS, signal)
      this.#seen = this.#notified.sets
      try {
        await this.#advance()
      } catch (error) {
        this.#log.warn({ err: error, runId: this.#runId }, 'the events of a run could not be read; trying again')
        this.#seen = -1
        await this.#notified.wait(RETRY_MS, signal)
      }
    }
  }

  async #advance(): Promise<void> {
    for (;;) {
      const rows = await this.#read(this.#runId, this.#last, BATCH)
      if (rows.length === 0) return
      this.#kept.push(...rows)
      this.#last = rows.at(-1)!.seq
      if (this.#kept.length > KEPT) {
        this.#kept = this.#kept.slice(-KEPT)
        this.#floor = this.#last - this.#kept.length
      }
      this.#arrived.set()
      if (rows.length < BATCH) return
    }
  }
}
