import { Worker } from 'node:worker_threads'
import { invariant } from '../../error.ts'
import type { DifferenceInterval, PairRequest } from '../paired.ts'
import type { ReportRequest, RunReport, ThreadAnswer, ThreadRequest } from './protocol.ts'

/** Where the compiled program of the thread is, below the folder of all programs. */
const PROGRAM = 'metric/thread/metric-thread.js'

/**
 * The report of a run, computed in a thread of its own.
 * @param programs URL of the folder of compiled programs.
 * @throws the reason of `signal` when it is aborted: the thread is ended.
 */
export async function reportInThread(
  request: Omit<ReportRequest, 'kind'>,
  programs: URL,
  signal: AbortSignal,
): Promise<RunReport> {
  const answer = await inThread({ kind: 'report', ...request }, programs, signal)
  invariant(answer.kind === 'report', 'a report was asked for')
  return answer.report
}

/** Intervals of the differences of two runs; as `reportInThread`. */
export async function pairInThread(
  request: Omit<PairRequest, 'kind'>,
  programs: URL,
  signal: AbortSignal,
): Promise<readonly DifferenceInterval[]> {
  const answer = await inThread({ kind: 'pair', ...request }, programs, signal)
  invariant(answer.kind === 'pair', 'differences were asked for')
  return answer.intervals
}

async function inThread(request: ThreadRequest, programs: URL, signal: AbortSignal): Promise<ThreadAnswer> {
  signal.throwIfAborted()
  const worker = new Worker(new URL(PROGRAM, programs), { workerData: request })
  try {
    const answer = await new Promise<ThreadAnswer>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      worker.once('message', resolve)
      worker.once('error', reject)
      worker.once('exit', (code) => reject(new Error(`the thread of metrics ended with code ${code}`)))
    })
    if (answer.kind === 'error') throw new Error(answer.message)
    return answer
  } finally {
    await worker.terminate()
  }
}
