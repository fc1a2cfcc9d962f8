import type { Estimate } from './estimate.ts'
import { withIntervals } from './intervals.ts'
import type { Random } from './random.ts'
import type { TaskAccumulator, TaskReport } from './task.ts'

/** `report` and `compute` of a task: its values, those of a bootstrap replicate in the same order, and what a report shows besides. */
export function reporting<State>(
  values: (state: State) => Estimate[],
  redrawn: (state: State, random: Random) => Estimate[],
  rest: (state: State) => Omit<TaskReport, 'metrics'>,
): Pick<TaskAccumulator<State>, 'report' | 'compute'> {
  const report: TaskAccumulator<State>['report'] = (state, intervals) => ({
    ...rest(state),
    metrics: withIntervals(values(state), (random) => redrawn(state, random), intervals),
  })
  return { report, compute: (state) => report(state, { replicates: 0 }) }
}
