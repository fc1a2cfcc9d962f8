import { invariant } from '../error.ts'

/**
 * A sum of float64 numbers without any rounding: the integer Σ limbs[i]·2^(32·i), times 2^(32·lowest − 1074). Limbs all
 * have the sum's sign and are below 2^32 in magnitude, the outer ones are not zero, so that equal sums are equal JSON,
 * in whatever order and in however many shards they were added. At most 68 limbs. After R. Neal, "Fast exact summation
 * using small and large superaccumulators", 2015.
 */
export type ExactSum = { readonly lowest: number; readonly limbs: readonly number[] }

/** The sum of nothing. */
export const ZERO_SUM: ExactSum = { lowest: 0, limbs: [] }

const LIMB = 2 ** 32
/** 2,098 bits span every float64; the rest is room for 2^53 additions. */
const LIMBS = 68
/** Each addition puts less than 2^32 into a limb, and a limb is exact below 2^53. */
const ADDITIONS_PER_CARRY = 2 ** 20

/**
 * A running exact sum: load a state, add numbers, take the new state. Made once and used again: it allocates nothing to
 * add.
 */
export interface ExactAdder {
  load(sum: ExactSum): void
  /** A finite number: the caller has looked. */
  add(value: number): void
  addSum(sum: ExactSum): void
  take(): ExactSum
}

/** An adder that holds zero. */
export function exactAdder(): ExactAdder {
  const limbs = new Float64Array(LIMBS)
  const float = new Float64Array(1)
  const halves = new Uint32Array(float.buffer)
  let additions = 0

  function carry(): void {
    let over = 0
    for (let i = 0; i < LIMBS - 1; i++) {
      const value = limbs[i]! + over
      over = Math.floor(value / LIMB)
      limbs[i] = value - over * LIMB
    }
    limbs[LIMBS - 1]! += over
    additions = 0
  }

  return {
    load(sum) {
      limbs.fill(0)
      limbs.set(sum.limbs, sum.lowest)
      additions = 1
    },
    add(value) {
      float[0] = value
      const low = halves[0]!
      const top = halves[1]!
      const biased = (top >>> 20) & 0x7ff
      invariant(biased !== 0x7ff, 'an exact sum has no place for NaN and infinities')
      const high = biased === 0 ? top & 0xfffff : (top & 0xfffff) | 0x100000
      const shift = biased === 0 ? 0 : biased - 1
      const sign = top >>> 31 === 0 ? 1 : -1
      const limb = shift >>> 5
      const bits = shift & 31
      limbs[limb]! += sign * ((low << bits) >>> 0)
      if (bits === 0) limbs[limb + 1]! += sign * high
      else {
        limbs[limb + 1]! += sign * (((low >>> (32 - bits)) | (high << bits)) >>> 0)
        limbs[limb + 2]! += sign * (high >>> (32 - bits))
      }
      if (++additions === ADDITIONS_PER_CARRY) carry()
    },
    addSum(sum) {
      sum.limbs.forEach((limb, i) => (limbs[sum.lowest + i]! += limb))
      if (++additions === ADDITIONS_PER_CARRY) carry()
    },
    take() {
      carry()
      const negative = limbs[LIMBS - 1]! < 0
      if (negative) {
        for (let i = 0; i < LIMBS; i++) limbs[i] = 0 - limbs[i]!
        carry()
      }
      let lowest = 0
      let end = LIMBS
      while (end > 0 && limbs[end - 1] === 0) end--
      while (lowest < end && limbs[lowest] === 0) lowest++
      if (end === 0) return ZERO_SUM
      return { lowest, limbs: Array.from(limbs.subarray(lowest, end), (limb) => (negative ? 0 - limb : limb)) }
    },
  }
}

/** A number as a sum of one. */
export function exactSumOf(value: number): ExactSum {
  const adder = exactAdder()
  adder.add(value)
  return adder.take()
}

/** The exact sum of two exact sums. */
export function mergeSums(a: ExactSum, b: ExactSum): ExactSum {
  const adder = exactAdder()
  adder.load(a)
  adder.addSum(b)
  return adder.take()
}
