import type { Estimate } from './estimate.ts'
import { withIntervals } from './intervals.ts'
import { regressionSums, type RegressionSums } from './regression.ts'
import { redrawnValues, regressionValues } from './regression-values.ts'
import type { FullTaskOptions, TaskAccumulator } from './task.ts'

/** The accumulator of REGRESSION. */
export function ofOutputs({ classes }: FullTaskOptions): TaskAccumulator<RegressionSums> {
  const report: TaskAccumulator<RegressionSums>['report'] = (state, intervals) => ({
    samples: state.samples,
    metrics: withIntervals(
      regressionValues(state, classes),
      (random): Estimate[] => redrawnValues(state, classes, random),
      intervals,
    ),
    ...{ confusionMatrix: null, scores: [], reliability: null },
  })
  return {
    ...regressionSums(),
    report,
    compute: (state) => report(state, { replicates: 0 }),
    running: (state) => ({
      samples: state.samples,
      loss: regressionValues(state, classes).find(({ name }) => name === 'mse')!.value,
      ...{ accuracy: null, precision: null, recall: null, f1: null },
    }),
  }
}
