/** Bins of probabilities: narrow near 0 and 1, where scores of a good model crowd, and even in between. */
export interface ScoreBins {
  readonly count: number
  /** Lower edge of each bin, ascending from 0. A bin holds what is from its edge on and below the next one; the last one holds 1 too. */
  readonly edges: Float64Array
  /** The bin of a probability from 0 to 1. */
  readonly of: (probability: number) => number
}

/** Octaves of scores: [2^-32, 2^-31) … [1/4, 1/2), and the same seen from 1. What is nearer to 0 or 1 shares a bin. */
const OCTAVES = 31
/** Bits of subdivision of an octave, the one below 1/2 first: 1/512 wide from 1/16 to 15/16, 16 in each octave beyond. */
const SUBDIVISION = [7, 6, 5]
const TAIL_SUBDIVISION = 4

/** Cells of all classes together: two for each bin, unless the classes are so many that each octave is one bin. */
const CELLS = 2 ** 18

const float = new Float64Array(1)
const words = new Uint32Array(float.buffer)

const made = new Map<number, ScoreBins>()

/** The bins for so many columns of scores: 1,344 up to 97 columns, fewer for more, 64 at least. */
export function scoreBins(columns: number): ScoreBins {
  let coarser = 0
  while (coarser < 7 && 2 * columns * binCount(coarser) > CELLS) coarser++
  const known = made.get(coarser)
  if (known !== undefined) return known
  const bins = makeBins(coarser)
  made.set(coarser, bins)
  return bins
}

/** Bits of octave `o`, counted from the one below 1/2. */
const bitsOf = (octave: number, coarser: number): number =>
  Math.max(0, (SUBDIVISION[octave] ?? TAIL_SUBDIVISION) - coarser)

function binCount(coarser: number): number {
  let half = 1
  for (let octave = 0; octave < OCTAVES; octave++) half += 2 ** bitsOf(octave, coarser)
  return 2 * half
}

function makeBins(coarser: number): ScoreBins {
  const count = binCount(coarser)
  const half = count / 2
  const edges = new Float64Array(count)
  // By biased exponent of a float64: where an octave's bins begin, and how far its mantissa is shifted to count within it.
  const lowest = 1023 - 1 - OCTAVES
  const begins = new Int32Array(OCTAVES)
  const shifts = new Int32Array(OCTAVES)
  let next = 1
  for (let i = 0; i < OCTAVES; i++) {
    const bits = bitsOf(OCTAVES - 1 - i, coarser)
    begins[i] = next
    shifts[i] = 20 - bits
    for (let sub = 0; sub < 2 ** bits; sub++) edges[next++] = 2 ** (i - OCTAVES - 1) * (1 + sub / 2 ** bits)
  }
  // Mirrored: the bins above 1/2 are those of 1 − p, which is exact there.
  for (let bin = 0; bin < half; bin++) edges[count - 1 - bin] = 1 - (bin + 1 < half ? edges[bin + 1]! : 0.5)

  /** The bin of a number below 1/2, from the upper 32 bits of its float64. */
  const lower = (high: number): number => {
    const octave = (high >>> 20) - lowest
    return octave < 0 ? 0 : begins[octave]! + ((high & 0xfffff) >>> shifts[octave]!)
  }
  return {
    count,
    edges,
    of(probability) {
      if (probability < 0.5) {
        float[0] = probability
        return lower(words[1]!)
      }
      const rest = 1 - probability
      if (rest <= 0) return count - 1
      float[0] = rest
      // Mirrored bins hold their upper edge and not their lower one: take the number just below.
      return count - 1 - lower(words[0] === 0 ? words[1]! - 1 : words[1]!)
    },
  }
}
