import type { Transaction } from '../client.ts'

/** An inspection that was claimed for a worker. */
export interface InspectionJob {
  /** Row of Inspection. */
  readonly id: string
  /** Aborted when the claim is lost to another worker, and when the worker stops. */
  readonly signal: AbortSignal
  /**
   * Completes the job in the caller's transaction, so that the result and the end of the job are one thing.
   * @returns false when this claim does not count any more; then the caller must write nothing.
   */
  complete(tx: Transaction): Promise<boolean>
}

/** How to work. */
export interface InspectionWorkOptions {
  /** Row of Worker: who claims. */
  readonly workerId: string
  /** Ends the work, as disposing does. */
  readonly signal?: AbortSignal
  /** Settles when there is nothing better to do, or after an abort: nothing is claimed before. */
  readonly idle: (signal: AbortSignal) => Promise<void>
  /** When it returns, the job is completed; when it throws, the inspection is tried again, by anyone, until its retries are used up. */
  readonly onJob: (job: InspectionJob) => Promise<void>
}

/** An inspection that nobody will finish. */
export interface LostInspection {
  readonly id: string
  /** WORKER_LOST: its workers died. INTERNAL: it failed with an error that its worker did not expect. */
  readonly code: 'WORKER_LOST' | 'INTERNAL'
  readonly message: string
}

/** How to watch. */
export interface InspectionWatchOptions {
  /** Ends an inspection that was lost. Called again, from any process that watches, until it has ended. */
  readonly onLost: (lost: LostInspection) => Promise<void>
  /** Ends the watch, as disposing does. */
  readonly signal?: AbortSignal
}

/** The queue of what workers find out when no run waits. */
export interface InspectionQueue {
  /** Adds rows of Inspection in the caller's transaction: workers see them when it commits. */
  enqueue(tx: Transaction, ids: readonly string[]): Promise<void>
  /** Claims inspections and works on them, one at a time. Disposing it gives an unfinished one back and waits until `onJob` has ended. */
  work(options: InspectionWorkOptions): AsyncDisposable
  /** Finds inspections of dead workers, and those without a job, within some seconds. */
  watch(options: InspectionWatchOptions): AsyncDisposable
}
