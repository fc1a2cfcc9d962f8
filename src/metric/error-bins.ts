const float = new Float64Array(1)
const words = new Uint32Array(float.buffer)

/** Mantissa bits of a bin: it is 2^-10 of its octave wide. */
const BITS = 10

/** Bins of sizes of errors, 1,024 in each octave: within 1/2048 of the size. Zero has its own. */
export const ERROR_BINS = {
  of(size: number): number {
    if (size === 0) return 0
    float[0] = size
    return 1 + (words[1]! >>> (20 - BITS))
  },
  /** The middle of a bin, and half its width. */
  middle(bin: number): { readonly value: number; readonly error: number } {
    if (bin === 0) return { value: 0, error: 0 }
    const [low, high] = [edge(bin - 1), edge(bin)]
    return { value: (low + high) / 2, error: (high - low) / 2 }
  },
}

function edge(key: number): number {
  words[0] = 0
  words[1] = key << (20 - BITS)
  return float[0]!
}
