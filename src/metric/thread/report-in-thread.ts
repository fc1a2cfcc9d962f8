import { Worker } from 'node:worker_threads'
import type { TaskReport } from '../task.ts'
import type { ReportRequest, ThreadAnswer } from './protocol.ts'

/** Where the compiled program of the thread is, below the folder of all programs. */
const PROGRAM = 'metric/thread/metric-thread.js'

/**
 * The report of a run, computed in a thread of its own.
 * @param programs URL of the folder of compiled programs.
 * @throws the reason of `signal` when it is aborted: the thread is ended.
 */
export async function reportInThread(request: ReportRequest, programs: URL, signal: AbortSignal): Promise<TaskReport> {
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
    return answer.report
  } finally {
    await worker.terminate()
  }
}
