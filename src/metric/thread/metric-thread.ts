import { parentPort, workerData } from 'node:worker_threads'
import { invariant } from '../../error.ts'
import { taskAccumulator } from '../task-accumulator.ts'
import type { ReportRequest, ThreadAnswer } from './protocol.ts'

// The program of a thread that draws bootstrap replicates: seconds of work, of which the thread that serves must have nothing.

invariant(parentPort !== null, 'metric-thread is started by reportInThread')
parentPort.postMessage(answer(workerData as ReportRequest))

function answer({ task, options, state }: ReportRequest): ThreadAnswer {
  try {
    return { kind: 'report', report: taskAccumulator(task, options).report(state) }
  } catch (error) {
    return { kind: 'error', message: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}
