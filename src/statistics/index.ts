/** Numbers about weights: pure, streamed, in float64. */
export { hasStatistics, tensorStatistics, type Histogram, type TensorStatistics } from './tensor-statistics.ts'
export { notFiniteText } from './not-finite-text.ts'
export { comparedTensor, equalShare, type ComparedTensor, type TensorChange } from './compared-tensor.ts'
export { incomparable, tensorDistance, type TensorDistance, type TensorElements } from './tensor-distance.ts'
export {
  commonBytes,
  compareStateDicts,
  needsBytes,
  valueBytes,
  type CommonBytes,
  type HashedTensor,
  type KeyComparison,
  type SharedKey,
} from './compare-state-dicts.ts'
