/** A question for a worker. Plain data: the queue does not look into it. */
export interface NewPrediction {
  /** What a worker needs besides the inputs; JSON. */
  readonly request: unknown
  /** Tensors that `request` describes. */
  readonly inputs: Uint8Array
  /** What a worker has to have to take the question, as a word: at most 100 characters, no space. */
  readonly place: string
  /** What a session that can answer is known by, at most 64 characters: workers that have it loaded come first. */
  readonly affinity: string
  /** Of the checkpoint that it is about: when that is gone, nothing is asked. */
  readonly checkpointId: string
}

/** An answer, as the worker gave it. */
export interface PredictionAnswer {
  /** JSON. */
  readonly answer: unknown
  /** Empty when there is none. */
  readonly logits: Uint8Array
}

/** What came of a question. */
export type AskOutcome =
  | ({ readonly kind: 'ANSWERED' } & PredictionAnswer)
  /** The checkpoint is not there any more; nobody was asked. */
  | { readonly kind: 'NO_CHECKPOINT' }
  /** Nobody answered in time. `lost`: workers took it and died. */
  | { readonly kind: 'TIMED_OUT'; readonly lost: number }
  /** As many workers as are tried took it, and died. */
  | { readonly kind: 'LOST'; readonly lost: number }

/** A question that a worker has taken. */
export interface TakenPrediction extends Pick<NewPrediction, 'request' | 'inputs'> {
  readonly id: string
  /** When nobody waits for it any more: milliseconds from now. */
  readonly remainingMs: number
  /** Aborted when the worker stops and its time to finish is over: the question then goes to another. */
  readonly signal: AbortSignal
}

/** How a worker answers. */
export interface AnswerOptions {
  readonly workerId: string
  /** The words that it answers to. */
  readonly places: readonly string[]
  /** Questions that it has in hand at a time. */
  readonly atOnce: number
  /** Whether the session that a question needs is loaded: otherwise others are given a moment to take it. */
  readonly isWarm: (affinity: string) => boolean
  /** The answer to a question. What it throws is logged, and the question goes to another worker. */
  readonly onPrediction: (prediction: TakenPrediction) => Promise<PredictionAnswer>
}

/** Questions that travel through the database to whichever worker is there, and their answers back. */
export interface PredictionQueue {
  /** Asks, and waits for the answer, at most so long; whatever comes of it, nothing is left behind. */
  ask(prediction: NewPrediction, timeoutMs: number, signal?: AbortSignal): Promise<AskOutcome>
  /** Answers questions until disposed: those in hand are finished then, or handed on when `finishMs` is over. */
  work(options: AnswerOptions): { stop(finishMs: number): Promise<void> }
  /** Removes questions that nobody waits for any more, because who asked is gone; how many. */
  sweep(): Promise<number>
}
