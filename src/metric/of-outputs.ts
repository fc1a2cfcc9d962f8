import { regressionSums, type RegressionSums } from './regression.ts'
import { redrawnValues, regressionValues } from './regression-values.ts'
import { reporting } from './reporting.ts'
import type { FullTaskOptions, TaskAccumulator } from './task.ts'

/** The accumulator of REGRESSION. */
export function ofOutputs({ classes }: FullTaskOptions): TaskAccumulator<RegressionSums> {
  return {
    ...regressionSums(),
    ...reporting(
      (state: RegressionSums) => regressionValues(state, classes),
      (state, random) => redrawnValues(state, classes, random),
      ({ samples }) => ({ samples, confusionMatrix: null, scores: [], reliability: null }),
    ),
    running: (state) => ({
      samples: state.samples,
      loss: regressionValues(state, classes).find(({ name }) => name === 'mse')!.value,
      ...{ accuracy: null, precision: null, recall: null, f1: null },
    }),
  }
}
