import type { Transaction } from '../client.ts'

/** Which part of which run. */
export interface ShardKey {
  readonly runId: string
  readonly shard: number
}

/** A shard that was claimed for a worker. */
export interface ShardJob extends ShardKey {
  /** How often it was claimed before. */
  readonly retryCount: number
  /** Aborted when the run is stopped, when the claim is lost to another worker, and when the worker stops. Its reason is a `ShardStopped`. */
  readonly signal: AbortSignal
  /**
   * Completes the job in the caller's transaction, so that the shard's result and the end of its job are one thing.
   * @returns false when this claim does not count any more; then the caller must write nothing.
   */
  complete(tx: Transaction): Promise<boolean>
}

/** Why the work on a shard has to end early. */
export class ShardStopped extends Error {
  override readonly name = 'ShardStopped'
  readonly why: 'RUN_STOPPED' | 'CLAIM_LOST' | 'WORKER_STOPS'

  constructor(why: ShardStopped['why']) {
    super(
      {
        RUN_STOPPED: 'the run was stopped',
        CLAIM_LOST: 'another worker has taken the shard',
        WORKER_STOPS: 'the worker stops',
      }[why],
    )
    this.why = why
  }
}

/** How to work. */
export interface WorkOptions {
  /** Row of Worker: who claims. It is how the claims of a dead worker are found. */
  readonly workerId: string
  /** Ends the work, as disposing does. */
  readonly signal?: AbortSignal
  /**
   * Works on a shard. When it returns, the job is completed (unless it was, by `job.complete`); when it throws, the shard is
   * tried again, by anyone, until its retries are used up.
   */
  readonly onJob: (job: ShardJob) => Promise<void>
}

/** A shard that will not be evaluated any more. */
export interface LostShard extends ShardKey {
  /** WORKER_LOST: its workers died. INTERNAL: it failed with an error that its worker did not expect. */
  readonly code: 'WORKER_LOST' | 'INTERNAL'
  readonly message: string
}

/** A shard that waits for another worker because its own died. */
export interface FreedShard extends ShardKey {
  /** The worker that died. */
  readonly workerId: string | null
}

/** How to watch. */
export interface WatchOptions {
  /** Told, by the one process that did it, that a shard went back to the queue. Another worker may have it already. */
  readonly onFreed?: (freed: FreedShard) => Promise<void>
  /** Ends the run of a shard that was lost. Called again, from any process that watches, until the run has ended. */
  readonly onLost: (lost: LostShard) => Promise<void>
  /** Ends the watch, as disposing does. */
  readonly signal?: AbortSignal
}

/** The queue of shards, across all processes. */
export interface ShardQueue {
  /** Adds shards in the caller's transaction: workers see them when it commits. */
  enqueue(tx: Transaction, shards: ShardKey | readonly ShardKey[]): Promise<void>
  /** Claims shards and works on them, one at a time. Disposing it gives an unfinished shard back and waits until `onJob` has ended. */
  work(options: WorkOptions): AsyncDisposable
  /** Takes all shards of a run off the queue, in the caller's transaction, and stops those that are worked on when it commits. */
  cancel(tx: Transaction, runId: string): Promise<void>
  /** Finds the shards of dead workers within two seconds, and gives them to others or up. */
  watch(options: WatchOptions): AsyncDisposable
}
