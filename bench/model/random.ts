import type { Graph } from '../../src/architecture/index.ts'
import { numel } from '../../src/tensor/index.ts'

/** A repeatable source of numbers in [0, 1): xorshift32. */
export function random(seed: number): () => number {
  let state = seed | 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

/** Weights that keep activations in range: uniform in ±1/sqrt(fan in), as torch's default; variances and scales near one. */
export function randomWeights(graph: Graph, seed: number): Map<string, Float32Array> {
  const next = random(seed)
  const weights = new Map<string, Float32Array>()
  for (const { name, shape, dtype } of graph.parameters) {
    if (dtype !== 'float32') continue
    const values = new Float32Array(numel(shape))
    const fanIn = shape.length > 1 ? numel(shape.slice(1)) : 0
    const positive = name.endsWith('running_var') || (shape.length === 1 && name.endsWith('weight'))
    const bound = fanIn > 0 ? Math.sqrt(3 / fanIn) : 0.1
    for (let i = 0; i < values.length; i++) values[i] = positive ? 0.8 + 0.4 * next() : (2 * next() - 1) * bound
    weights.set(name, values)
  }
  return weights
}
