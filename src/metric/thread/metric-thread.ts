import { parentPort, workerData } from 'node:worker_threads'
import { invariant } from '../../error.ts'
import { pairedIntervals } from '../paired.ts'
import { sliceAccumulator } from '../slices.ts'
import { taskAccumulator } from '../task-accumulator.ts'
import type { ReportRequest, RunReport, ThreadAnswer, ThreadRequest } from './protocol.ts'

// The program of a thread that draws bootstrap replicates: seconds of work, of which the thread that serves must have nothing.

invariant(parentPort !== null, 'metric-thread is started by reportInThread and pairInThread')
parentPort.postMessage(answer(workerData as ThreadRequest))

function answer(request: ThreadRequest): ThreadAnswer {
  try {
    return request.kind === 'report'
      ? { kind: 'report', report: reportOf(request) }
      : { kind: 'pair', intervals: pairedIntervals(request) }
  } catch (error) {
    return { kind: 'error', message: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

function reportOf({ task, options, state, slices }: ReportRequest): RunReport {
  const parts = sliceAccumulator(task, options)
  return {
    ...taskAccumulator(task, options).report(state),
    slices: slices.map((states) =>
      Object.fromEntries(Object.entries(states).map(([code, slice]) => [code, parts.report(slice)])),
    ),
  }
}
