import { inferShapes, type Graph } from '../architecture/index.ts'
import { itemSize } from '../tensor/index.ts'

/** Bytes that the largest value of the graph may have for a batch: a few such values are in memory at a time. */
const LARGEST_VALUE_BYTES = 64 * 2 ** 20
/** More gains no speed (measured with a multilayer perceptron, whose batches then leave the caches), and makes progress coarse. */
const LARGEST_BATCH = 512
/** What stands for a size that is not known before the samples are: 224 is the usual width of an image. */
const UNKNOWN_SIZE = 224

/** Samples of a batch when nobody says: a power of two, so that the largest value of the graph stays small. */
export function defaultBatchSize(graph: Graph): number {
  const weights = new Set([...graph.parameters, ...graph.constants].map(({ name }) => name))
  let largest = 1
  for (const { name, dtype, shape } of inferShapes(graph, 1).values()) {
    if (weights.has(name)) continue
    const elements = shape.reduce<number>(
      (product, size) => product * (typeof size === 'number' ? size : UNKNOWN_SIZE),
      1,
    )
    largest = Math.max(largest, elements * itemSize(dtype))
  }
  const fitting = 2 ** Math.floor(Math.log2(Math.max(1, LARGEST_VALUE_BYTES / largest)))
  return Math.min(LARGEST_BATCH, fitting)
}
