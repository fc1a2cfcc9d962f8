import type { Task } from '../generated/graphql.ts'

/** The metric that a run is first looked at by. */
export const headline = (task: Task): 'f1' | 'r2' => (task === 'REGRESSION' ? 'r2' : 'f1')
