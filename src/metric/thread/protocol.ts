import type { Task } from '../accumulator.ts'
import type { TaskOptions, TaskReport } from '../task.ts'
import type { TaskState } from '../task-accumulator.ts'

/** What a thread is asked: the report of a run, with intervals. */
export interface ReportRequest {
  readonly task: Task
  readonly options: TaskOptions
  readonly state: TaskState
}

/** What it answers: once, then it ends. */
export type ThreadAnswer =
  { readonly kind: 'report'; readonly report: TaskReport } | { readonly kind: 'error'; readonly message: string }
