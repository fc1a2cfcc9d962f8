import { poisson, type Random } from './random.ts'

/** Moments of one output over some samples. */
export interface Moments {
  readonly weight: number
  /** Weighted means of e², |e| and |e| / |y|. */
  readonly squaredError: number
  readonly absoluteError: number
  readonly percentage: number
  /** Weighted variances of y and of e. */
  readonly targetVariance: number
  readonly errorVariance: number
}

/** Samples are drawn again in so many blocks, to which their row's hash assigns them. */
const BLOCKS = 256
/** Of a block: weight; mean and Σ of squared deviations of y, of e; Σ |e|; Σ |e| / |y|. */
const STRIDE = 7

/** Blocks without a sample. */
export const emptyBlocks = (): number[] => new Array<number>(BLOCKS * STRIDE).fill(0)

/** Adds a sample, in place (D. West, "Updating mean and variance estimates", 1979). */
export function addToBlock(blocks: number[], hash: number, w: number, y: number, e: number, share: number): void {
  if (w === 0) return
  const at = (hash % BLOCKS) * STRIDE
  const total = (blocks[at]! += w)
  advance(blocks, at + 1, w, total, y)
  advance(blocks, at + 3, w, total, e)
  blocks[at + 5]! += w * Math.abs(e)
  blocks[at + 6]! += w * share
}

function advance(blocks: number[], at: number, w: number, total: number, value: number): void {
  const step = value - blocks[at]!
  blocks[at]! += (step * w) / total
  blocks[at + 1]! += w * step * (value - blocks[at]!)
}

/** Block by block. */
export function mergeBlocks(a: readonly number[], b: readonly number[]): number[] {
  const merged = [...a]
  for (let at = 0; at < merged.length; at += STRIDE) addBlock(merged, at, b, at, 1)
  return merged
}

/** Adds a block `times` over (T. Chan, G. Golub, R. LeVeque, 1983). */
function addBlock(into: number[], to: number, from: readonly number[], at: number, times: number): void {
  const w = times * from[at]!
  if (w === 0) return
  const before = into[to]!
  const total = (into[to]! += w)
  for (const i of [1, 3]) {
    const step = from[at + i]! - into[to + i]!
    into[to + i]! += (step * w) / total
    into[to + i + 1]! += times * from[at + i + 1]! + (step * step * before * w) / total
  }
  for (const i of [5, 6]) into[to + i]! += times * from[at + i]!
}

/** The moments of a bootstrap replicate. */
export function redrawMoments(blocks: readonly number[], random: Random): Moments {
  const total = new Array<number>(STRIDE).fill(0)
  for (let at = 0; at < blocks.length; at += STRIDE)
    if (blocks[at]! > 0) addBlock(total, 0, blocks, at, poisson(1, random))
  const [weight, , targets, mean, errors, absolute, share] = total as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  return {
    weight,
    squaredError: errors / weight + mean * mean,
    absoluteError: absolute / weight,
    percentage: share / weight,
    targetVariance: targets / weight,
    errorVariance: errors / weight,
  }
}
