/** Batches for each lane of the engine: one under way, one waiting … */
const PER_LANE = 2
/** … and batches that are read ahead of it, one more than there are lanes. */
const AHEAD = 1

/** Three stages that work at the same time. */
export interface Stages<Decoded, Executed> {
  /** Number of batches. */
  readonly count: number
  /** Batches that the engine executes at a time. */
  readonly lanes: number
  readonly signal: AbortSignal
  readonly decode: (index: number) => Promise<Decoded>
  /** Called in order. */
  readonly execute: (batch: Decoded) => Promise<Executed>
  /** Called in order, and waited for. */
  readonly consume: (batch: Executed) => Promise<void> | void
}

/**
 * Runs batches through the stages. Memory is bounded by the batches that are under way, whatever the count.
 * Rejects at once when `signal` is aborted, with its reason; else with the first failure, when nothing is under way any more.
 */
export function pipeline<Decoded, Executed>(stages: Stages<Decoded, Executed>): Promise<void> {
  const { signal } = stages
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
    flow(stages)
      .finally(() => signal.removeEventListener('abort', onAbort))
      .then(resolve, reject)
  })
}

async function flow<Decoded, Executed>({
  count,
  lanes,
  signal,
  decode,
  execute,
  consume,
}: Stages<Decoded, Executed>): Promise<void> {
  const decoding: Promise<Decoded>[] = []
  const executing: Promise<Executed>[] = []
  let next = 0

  /** Keeps the reader busy. */
  const readAhead = () => {
    while (next < count && decoding.length < lanes + AHEAD) decoding.push(watched(decode(next++)))
  }
  /** Keeps the engine busy. */
  const handOver = async () => {
    readAhead()
    while (executing.length < lanes * PER_LANE && decoding.length > 0) {
      const batch = await decoding[0]!
      signal.throwIfAborted()
      void decoding.shift()
      executing.push(watched(execute(batch)))
      readAhead()
    }
  }

  try {
    signal.throwIfAborted()
    await handOver()
    while (executing.length > 0) {
      const done = await executing[0]!
      signal.throwIfAborted()
      void executing.shift()
      // First the engine gets its next batch; counting the last one takes place meanwhile.
      await handOver()
      await consume(done)
    }
  } finally {
    await Promise.allSettled([...decoding, ...executing])
  }
}

/** A promise that may fail before anyone waits for it. */
function watched<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}
