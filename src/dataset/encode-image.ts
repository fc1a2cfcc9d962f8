import { loadSharp } from './sharp.ts'

/** How the numbers of one sample are an image. */
export interface ImageLayout {
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3
  /** Whether channels come before rows, as torch has them. */
  readonly channelsFirst: boolean
}

/** Pixels that an edge has, at least and at most. */
const MIN_EDGE = 8
const MAX_EDGE = 1024

/** Whether samples of this shape are images, and how: [C, H, W], [H, W, C] or [H, W] with one or three channels; null for anything else. */
export function imageLayout(shape: readonly number[]): ImageLayout | null {
  const edge = (size: number | undefined): size is number => size !== undefined && size >= MIN_EDGE && size <= MAX_EDGE
  const isCount = (size: number | undefined): size is 1 | 3 => size === 1 || size === 3
  const [a, b, c] = shape
  if (shape.length === 2 && edge(a) && edge(b)) return { height: a, width: b, channels: 1, channelsFirst: true }
  if (shape.length !== 3) return null
  if (isCount(a) && edge(b) && edge(c)) return { height: b, width: c, channels: a, channelsFirst: true }
  if (isCount(c) && edge(a) && edge(b)) return { height: a, width: b, channels: c, channelsFirst: false }
  return null
}

/**
 * A PNG of one sample: `low` becomes black and `high` white, what is beyond is cut.
 * @param values as many as the layout has.
 */
export async function encodePng(
  values: ArrayLike<number>,
  { height, width, channels, channelsFirst }: ImageLayout,
  low: number,
  high: number,
): Promise<Uint8Array> {
  const sharp = await loadSharp()
  const scale = high > low ? 255 / (high - low) : 0
  const pixels = new Uint8ClampedArray(height * width * channels)
  for (let at = 0; at < pixels.length; at++) {
    const from = channelsFirst ? (at % channels) * height * width + Math.floor(at / channels) : at
    pixels[at] = (values[from]! - low) * scale
  }
  return await sharp(pixels, { raw: { width, height, channels } }).png({ compressionLevel: 3 }).toBuffer()
}
