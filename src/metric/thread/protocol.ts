import type { Task } from '../accumulator.ts'
import type { DifferenceInterval, PairRequest } from '../paired.ts'
import type { SliceReport, SliceStates } from '../slices.ts'
import type { TaskOptions, TaskReport } from '../task.ts'
import type { TaskState } from '../task-accumulator.ts'

/** The report of a run is wanted, with intervals. */
export interface ReportRequest {
  readonly kind: 'report'
  readonly task: Task
  readonly options: TaskOptions
  readonly state: TaskState
  /** One for each slicing key. */
  readonly slices: readonly SliceStates[]
}

/** What is known when a run ends. */
export interface RunReport extends TaskReport {
  /** For each slicing key, code of the slice → its report. */
  readonly slices: readonly Readonly<Record<string, SliceReport>>[]
}

/** What a thread is asked. */
export type ThreadRequest = ReportRequest | PairRequest

/** What it answers: once, then it ends. */
export type ThreadAnswer =
  | { readonly kind: 'report'; readonly report: RunReport }
  | { readonly kind: 'pair'; readonly intervals: readonly DifferenceInterval[] }
  | { readonly kind: 'error'; readonly message: string }
