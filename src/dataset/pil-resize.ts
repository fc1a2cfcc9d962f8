/** Eight-bit pixels: height × width × channels. */
export interface Pixels {
  readonly width: number
  readonly height: number
  readonly channels: number
  readonly data: Uint8Array
}

/** How new pixels are made from old ones. */
export type Interpolation = 'NEAREST' | 'BILINEAR' | 'BICUBIC'

/** Filters and their reach, in pixels of the larger image. */
const FILTERS: Readonly<
  Record<Exclude<Interpolation, 'NEAREST'>, readonly [reach: number, at: (x: number) => number]>
> = {
  BILINEAR: [1, (x) => Math.max(0, 1 - Math.abs(x))],
  BICUBIC: [
    2,
    (signed) => {
      const [x, a] = [Math.abs(signed), -0.5]
      if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
    },
  ],
}

/** Bits of a coefficient behind the point: 8 bits of a pixel and 2 of overshoot stay before it. */
const BITS = 22

/** A part of an image. */
export interface Window {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

/**
 * Resizes as Pillow's Image.resize does, which torchvision's Resize calls, to the bit: filters are widened when an image is made smaller,
 * coefficients are fixed-point numbers, and rows are made before columns (Pillow, src/libImaging/Resample.c).
 * @param window the part of the new image that is wanted; nothing else is computed.
 */
export function resize(
  pixels: Pixels,
  width: number,
  height: number,
  interpolation: Interpolation,
  window: Window = { left: 0, top: 0, width, height },
): Pixels {
  if (pixels.width === width && pixels.height === height) return cut(pixels, window)
  if (interpolation === 'NEAREST') return cut(nearest(pixels, width, height), window)
  const [reach, filter] = FILTERS[interpolation]
  const { left, top } = window
  const down = pixels.height === height ? null : coefficients(pixels.height, height, reach, filter, top, window.height)
  const last = window.height - 1
  const from = down === null ? top : down.first[0]!
  const to = down === null ? top + window.height : Math.min(pixels.height, down.first[last]! + down.taps)
  const across =
    pixels.width === width
      ? cut(pixels, { left, top: from, width: window.width, height: to - from })
      : horizontally(pixels, coefficients(pixels.width, width, reach, filter, left, window.width), from, to)
  return down === null ? across : vertically(across, down, from)
}

/** A part of an image, which lies within it. */
export function cut(pixels: Pixels, { left, top, width, height }: Window): Pixels {
  if (width === pixels.width && height === pixels.height) return pixels
  const { data, channels } = pixels
  const out = new Uint8Array(width * height * channels)
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * pixels.width + left) * channels
    out.set(data.subarray(from, from + width * channels), y * width * channels)
  }
  return { data: out, width, height, channels }
}

/** How much of which old pixels each new one has. */
interface Coefficients {
  /** Of each new pixel: the first old one. */
  readonly first: Int32Array
  /** As many old pixels of each, four or a multiple of it, some of them with nothing. */
  readonly taps: number
  /** `taps` of each new pixel. */
  readonly weights: Int32Array
}

/** Of the new pixels from `left` on. */
function coefficients(
  from: number,
  to: number,
  reach: number,
  filter: (x: number) => number,
  left: number,
  length: number,
): Coefficients {
  const scale = from / to
  const wide = Math.max(scale, 1)
  const support = reach * wide
  const centre = (x: number): number => (left + x + 0.5) * scale
  const low = (x: number): number => Math.max(0, Math.trunc(centre(x) - support + 0.5))
  const high = (x: number): number => Math.min(from, Math.trunc(centre(x) + support + 0.5))
  let most = 1
  for (let x = 0; x < length; x++) most = Math.max(most, high(x) - low(x))
  const taps = 4 * Math.ceil(most / 4)
  const [first, weights] = [new Int32Array(length), new Int32Array(length * taps)]
  const own = new Float64Array(most)
  for (let x = 0; x < length; x++) {
    const n = high(x) - low(x)
    let sum = 0
    for (let i = 0; i < n; i++) sum += own[i] = filter((i + low(x) - centre(x) + 0.5) / wide)
    // Those with nothing lie within the image too, where it is as wide as that.
    first[x] = Math.max(0, Math.min(low(x), from - taps))
    for (let i = 0, at = x * taps + low(x) - first[x]!; i < n; i++, at++) {
      const exact = sum === 0 ? own[i]! : own[i]! / sum
      weights[at] = Math.trunc(exact < 0 ? exact * (1 << BITS) - 0.5 : exact * (1 << BITS) + 0.5)
    }
  }
  return { first, taps, weights }
}

const HALF = 1 << (BITS - 1)
const { imul } = Math
const clip = (sum: number): number => {
  const value = sum >> BITS
  return value < 0 ? 0 : value > 255 ? 255 : value
}

/**
 * The rows between `from` and `to`, as wide as there are coefficients. Beyond the end of the data, where an image is smaller than the
 * coefficients reach, there is 0, of which there is nothing.
 */
function horizontally(pixels: Pixels, c: Coefficients, from: number, to: number): Pixels {
  const { data, width: old, channels } = pixels
  const { first, taps, weights } = c
  const width = first.length
  const height = to - from
  const out = new Uint8Array(width * height * channels)
  let at = 0
  for (let y = from; y < to; y++)
    for (let x = 0; x < width; x++) {
      const start = (y * old + first[x]!) * channels
      const end = (x + 1) * taps
      if (channels === 3) {
        let [red, green, blue] = [HALF, HALF, HALF]
        for (let i = x * taps, k = start; i < end; i += 4, k += 12) {
          const [a, b, d, e] = [weights[i]!, weights[i + 1]!, weights[i + 2]!, weights[i + 3]!]
          red += imul(data[k]!, a) + imul(data[k + 3]!, b) + imul(data[k + 6]!, d) + imul(data[k + 9]!, e)
          green += imul(data[k + 1]!, a) + imul(data[k + 4]!, b) + imul(data[k + 7]!, d) + imul(data[k + 10]!, e)
          blue += imul(data[k + 2]!, a) + imul(data[k + 5]!, b) + imul(data[k + 8]!, d) + imul(data[k + 11]!, e)
        }
        out[at++] = clip(red)
        out[at++] = clip(green)
        out[at++] = clip(blue)
      } else
        for (let channel = 0; channel < channels; channel++) {
          let sum = HALF
          for (let i = x * taps, k = start + channel; i < end; i++, k += channels) sum += imul(data[k]!, weights[i]!)
          out[at++] = clip(sum)
        }
    }
  return { data: out, width, height, channels }
}

/** As many rows as there are coefficients. @param from the row of the old image that `pixels` begin with. */
function vertically({ data, width, channels }: Pixels, c: Coefficients, from: number): Pixels {
  const { first, taps, weights } = c
  const height = first.length
  const stride = width * channels
  const out = new Uint8Array(height * stride)
  // Four rows at a time: neighbours in memory are added up one after the other.
  const sums = new Int32Array(stride)
  for (let y = 0; y < height; y++) {
    sums.fill(HALF)
    for (let i = 0; i < taps; i += 4) {
      const at = y * taps + i
      const [a, b, d, e] = [weights[at]!, weights[at + 1]!, weights[at + 2]!, weights[at + 3]!]
      const k = (first[y]! - from + i) * stride
      const [l, m, n] = [k + stride, k + 2 * stride, k + 3 * stride]
      for (let x = 0; x < stride; x++)
        sums[x]! += imul(data[k + x]!, a) + imul(data[l + x]!, b) + imul(data[m + x]!, d) + imul(data[n + x]!, e)
    }
    const to = y * stride
    for (let x = 0; x < stride; x++) out[to + x] = clip(sums[x]!)
  }
  return { data: out, width, height, channels }
}

function nearest(
  { data, width: oldWidth, height: oldHeight, channels }: Pixels,
  width: number,
  height: number,
): Pixels {
  const out = new Uint8Array(width * height * channels)
  const columns = nearestOf(oldWidth, width)
  let to = 0
  for (const row of nearestOf(oldHeight, height))
    for (const column of columns) {
      const from = (row * oldWidth + column) * channels
      for (let channel = 0; channel < channels; channel++) out[to++] = data[from + channel]!
    }
  return { data: out, width, height, channels }
}

/** The old pixel of each new one; added up, as Pillow does, for the rounding to be the same (Geometry.c, ImagingScaleAffine). */
function nearestOf(from: number, to: number): Int32Array {
  const scale = from / to
  const places = new Int32Array(to)
  for (let i = 0, at = scale * 0.5; i < to; i++, at += scale) places[i] = Math.min(from - 1, Math.trunc(at))
  return places
}

/** The middle of an image of this size, which is no smaller, as torchvision's CenterCrop has it. */
export const middle = (width: number, height: number, crop: readonly [height: number, width: number]): Window => ({
  // Python's round(): a half goes to the even number.
  left: roundHalfEven((width - crop[1]) / 2),
  top: roundHalfEven((height - crop[0]) / 2),
  width: crop[1],
  height: crop[0],
})

/** An image on black, where it is smaller than this. */
export function pad(pixels: Pixels, least: readonly [height: number, width: number]): Pixels {
  const [height, width] = [Math.max(least[0], pixels.height), Math.max(least[1], pixels.width)]
  if (width === pixels.width && height === pixels.height) return pixels
  const { channels } = pixels
  const [left, top] = [Math.floor((width - pixels.width) / 2), Math.floor((height - pixels.height) / 2)]
  const out = new Uint8Array(width * height * channels)
  for (let y = 0; y < pixels.height; y++) {
    const row = pixels.data.subarray(y * pixels.width * channels, (y + 1) * pixels.width * channels)
    out.set(row, ((top + y) * width + left) * channels)
  }
  return { data: out, width, height, channels }
}

function roundHalfEven(x: number): number {
  const floor = Math.floor(x)
  return x - floor === 0.5 ? floor + (floor % 2) : Math.round(x)
}
