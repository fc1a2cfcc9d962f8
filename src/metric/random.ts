import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** Uniform numbers from 0 up to, and without, 1. */
export type Random = () => number

/** The same numbers for the same seed, on any machine. */
export function seededRandom(seed: number): Random {
  const generator = xoroshiro128plus(seed)
  return () => (generator.next() >>> 0) / 2 ** 32
}

/** Numbers that belong to rows, so that what a sample is used for depends on its row alone: not on batches, shards or order. */
export function hashRow(row: number): number {
  // The finaliser of MurmurHash3 over both halves of the row number.
  let h = (row ^ Math.imul(Math.floor(row / 2 ** 32), 0x9e3779b1)) | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/**
 * The weight of samples that are each taken Poisson(1) times. All of weight 1: Poisson of their number. Else a multiple of a Poisson
 * number that has the same mean, and where `scale` is theirs the same variance.
 * @param scale Σ of squared weights / Σ of weights: `weightScale`.
 */
export const redraw = (weight: number, scale: number, random: Random): number =>
  weight <= 0 ? 0 : scale * poisson(weight / scale, random)

/** Σ of squared weights / Σ of weights: 1 where every weight is 1. */
export const weightScale = (weight: number, squares: number): number => (weight === 0 ? 1 : squares / weight)

/** In steps of 2^-20: sums of such numbers are whole, whatever the order they are added in. */
export const inSteps = (value: number): number => Math.round(value * 2 ** 20)

/** From this mean on, a rejection method is faster than adding up probabilities. */
const LARGE = 20

/** A number of the Poisson distribution. */
export const poisson = (mean: number, random: Random): number =>
  mean <= 0 ? 0 : mean < LARGE ? bySearch(mean, random) : byRejection(mean, random)

function bySearch(mean: number, random: Random): number {
  const u = random()
  let probability = Math.exp(-mean)
  let sum = probability
  let k = 0
  // Beyond this rounding alone would keep the sum below u.
  while (u > sum && k < 200) sum += probability *= mean / ++k
  return k
}

/** W. Hörmann, "The transformed rejection method for generating Poisson random variables", 1993: algorithm PTRS. */
function byRejection(mean: number, random: Random): number {
  const logMean = Math.log(mean)
  const b = 0.931 + 2.53 * Math.sqrt(mean)
  const a = -0.059 + 0.02483 * b
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4)
  const vr = 0.9277 - 3.6224 / (b - 2)
  for (;;) {
    const u = random() - 0.5
    const v = random()
    const us = 0.5 - Math.abs(u)
    const k = Math.floor(((2 * a) / us + b) * u + mean + 0.43)
    if (us >= 0.07 && v <= vr) return k
    if (k < 0 || (us < 0.013 && v > us)) continue
    const log = Math.log(v) + Math.log(inverseAlpha) - Math.log(a / (us * us) + b)
    if (log <= -mean + k * logMean - logFactorial(k)) return k
  }
}

/** ln k!, by Stirling's series; its error is below 1e-10 for the k that the rejection method meets. */
function logFactorial(k: number): number {
  if (k < 10) {
    let product = 1
    for (let i = 2; i <= k; i++) product *= i
    return Math.log(product)
  }
  const x = k + 1
  return (
    (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * x) - 1 / (360 * x ** 3) + 1 / (1260 * x ** 5)
  )
}
