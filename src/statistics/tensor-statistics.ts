import type { DType } from '../tensor/index.ts'
import { elementDecoder, moduli, type ElementDecoder } from './decode-elements.ts'
import { addValues, emptyDistribution, frameOf, momentsOf } from './distribution.ts'
import { elementBlocks } from './element-blocks.ts'
import { EMPTY_EXTENT, extentOf, finiteCount, mergeExtents } from './extent.ts'

/** Counts of finite values between edges: bin i is [edges[i], edges[i + 1]), the last one has its right edge too. */
export interface Histogram {
  /** One more than there are counts. */
  readonly edges: readonly number[]
  readonly counts: readonly number[]
}

/**
 * What there is to know of a tensor's values. Minimum to norm and the histogram are those of the finite values, as float64: complex
 * numbers count by their modulus, quantized ones by the integers that they are stored as. Null where there is no such number.
 */
export interface TensorStatistics {
  readonly elements: number
  readonly zeros: number
  readonly nan: number
  readonly positiveInfinity: number
  readonly negativeInfinity: number
  readonly min: number | null
  readonly max: number | null
  readonly mean: number | null
  /** Of a sample: with n − 1 below, as `Tensor.std()` has it; null for fewer than two values. */
  readonly std: number | null
  /** L2. */
  readonly norm: number | null
  readonly histogram: Histogram | null
}

/** Values of a pass at a time: they and their differences stay in the processor's first cache. */
const STEP = 2048
/** Bytes that are kept between the two passes rather than read again. */
const KEPT_BYTES = 32 * 2 ** 20

/** Whether a tensor of this dtype has statistics: all that are read but quantized ones of less than a byte. */
export const hasStatistics = (dtype: DType): boolean => elementDecoder(dtype) !== null

/**
 * Statistics of dense little-endian elements, in two passes: the first finds how far the values reach, the second counts them in the
 * histogram and sums differences from near the mean. A tensor of up to 32 MiB is kept between them, a larger one is read twice; memory does
 * not grow with it.
 * @param elements how many there are.
 * @param read gives their bytes from the beginning; called once or twice.
 * @throws RangeError for a dtype without statistics.
 */
export async function tensorStatistics(
  dtype: DType,
  elements: number,
  read: () => AsyncIterable<Uint8Array>,
): Promise<TensorStatistics> {
  const decoder = elementDecoder(dtype)
  if (decoder === null) throw new RangeError(`a tensor of dtype ${dtype} has no statistics`)
  const values = new Float64Array(STEP)
  const kept = keeper(elements * decoder.itemSize <= KEPT_BYTES)
  let extent = EMPTY_EXTENT
  for await (const block of elementBlocks(read(), decoder.itemSize)) {
    kept.add(block)
    for (const count of steps(decoder, block, values)) extent = mergeExtents(extent, extentOf(values, count))
  }
  const { nan, zeros, positiveInfinity, negativeInfinity } = extent
  const counts = { elements: extent.elements, zeros, nan, positiveInfinity, negativeInfinity }
  if (finiteCount(extent) === 0)
    return { ...counts, min: null, max: null, mean: null, std: null, norm: null, histogram: null }

  const frame = frameOf(extent)
  const finite = finiteCount(extent) === extent.elements
  let distribution = emptyDistribution()
  for await (const block of elementBlocks(kept.pieces() ?? read(), decoder.itemSize))
    for (const count of steps(decoder, block, values))
      distribution = addValues(frame, distribution, values, finite ? count : finiteCount(extentOf(values, count)))
  return {
    ...counts,
    min: extent.min,
    max: extent.max,
    ...momentsOf(frame, distribution),
    histogram: {
      edges: Array.from(frame.edges, (edge) => edge / frame.scale),
      counts: [...distribution.counts],
    },
  }
}

/** Decodes a block in steps of at most `STEP` values; yields how many are in `values`. */
function* steps({ itemSize: size, parts, wide, open }: ElementDecoder, block: Uint8Array, values: Float64Array) {
  const fill = open(block)
  const elements = block.length / size
  const pairs = parts === 2 ? new Float64Array(2 * STEP) : null
  for (let first = 0; first < elements; first += STEP) {
    const count = Math.min(STEP, elements - first)
    if (pairs === null) fill(first, count, values)
    else {
      fill(first, count, pairs)
      moduli(pairs, count, wide, values)
    }
    yield count
  }
}

/** Keeps the blocks of a tensor, if it is to. */
function keeper(keep: boolean) {
  const blocks: Uint8Array[] = []
  return {
    add(block: Uint8Array): void {
      if (keep) blocks.push(new Uint8Array(block))
    },
    /** All of them; null when they were not kept. */
    pieces: (): AsyncIterable<Uint8Array> | null => (keep ? asPieces(blocks) : null),
  }
}

async function* asPieces(blocks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const block of blocks) yield await Promise.resolve(block)
}
