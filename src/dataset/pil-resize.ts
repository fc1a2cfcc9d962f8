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

/**
 * Resizes as Pillow's Image.resize does, which torchvision's Resize calls, to the bit: filters are widened when an image is made smaller,
 * coefficients are fixed-point numbers, and rows are made before columns (Pillow, src/libImaging/Resample.c).
 */
export function resize(pixels: Pixels, width: number, height: number, interpolation: Interpolation): Pixels {
  if (pixels.width === width && pixels.height === height) return pixels
  if (interpolation === 'NEAREST') return nearest(pixels, width, height)
  const [reach, filter] = FILTERS[interpolation]
  const across =
    pixels.width === width ? pixels : horizontally(pixels, width, coefficients(pixels.width, width, reach, filter))
  return across.height === height
    ? across
    : vertically(across, height, coefficients(across.height, height, reach, filter))
}

interface Coefficients {
  /** Of each new pixel: the first old one, and how many. */
  readonly first: Int32Array
  readonly count: Int32Array
  /** `most` of each new pixel. */
  readonly weights: Int32Array
  readonly most: number
}

function coefficients(from: number, to: number, reach: number, filter: (x: number) => number): Coefficients {
  const scale = from / to
  const wide = Math.max(scale, 1)
  const support = reach * wide
  const most = Math.ceil(support) * 2 + 1
  const [first, count, weights] = [new Int32Array(to), new Int32Array(to), new Int32Array(to * most)]
  const own = new Float64Array(most)
  for (let x = 0; x < to; x++) {
    const centre = (x + 0.5) * scale
    const low = Math.max(0, Math.trunc(centre - support + 0.5))
    const n = Math.min(from, Math.trunc(centre + support + 0.5)) - low
    let sum = 0
    for (let i = 0; i < n; i++) sum += own[i] = filter((i + low - centre + 0.5) / wide)
    for (let i = 0; i < n; i++) {
      const exact = sum === 0 ? own[i]! : own[i]! / sum
      weights[x * most + i] = Math.trunc(exact < 0 ? exact * (1 << BITS) - 0.5 : exact * (1 << BITS) + 0.5)
    }
    first[x] = low
    count[x] = n
  }
  return { first, count, weights, most }
}

const HALF = 1 << (BITS - 1)
const clip = (sum: number): number => {
  const value = sum >> BITS
  return value < 0 ? 0 : value > 255 ? 255 : value
}

function horizontally({ data, width: old, height, channels }: Pixels, width: number, c: Coefficients): Pixels {
  const out = new Uint8Array(width * height * channels)
  for (let y = 0, to = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [start, n, at] = [(y * old + c.first[x]!) * channels, c.count[x]!, x * c.most]
      for (let channel = 0; channel < channels; channel++) {
        let sum = HALF
        for (let i = 0, from = start + channel; i < n; i++, from += channels) sum += data[from]! * c.weights[at + i]!
        out[to++] = clip(sum)
      }
    }
  return { data: out, width, height, channels }
}

function vertically({ data, width, channels }: Pixels, height: number, c: Coefficients): Pixels {
  const stride = width * channels
  const out = new Uint8Array(height * stride)
  for (let y = 0, to = 0; y < height; y++) {
    const [start, n, at] = [c.first[y]! * stride, c.count[y]!, y * c.most]
    for (let x = 0; x < stride; x++) {
      let sum = HALF
      for (let i = 0, from = start + x; i < n; i++, from += stride) sum += data[from]! * c.weights[at + i]!
      out[to++] = clip(sum)
    }
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

/**
 * The middle of an image, as torchvision's CenterCrop: a smaller image is put on black.
 */
export function centerCrop(pixels: Pixels, width: number, height: number): Pixels {
  const { channels } = pixels
  const padded = pad(pixels, Math.max(width, pixels.width), Math.max(height, pixels.height))
  // Python's round(): a half goes to the even number.
  const top = roundHalfEven((padded.height - height) / 2)
  const left = roundHalfEven((padded.width - width) / 2)
  const out = new Uint8Array(width * height * channels)
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * padded.width + left) * channels
    out.set(padded.data.subarray(from, from + width * channels), y * width * channels)
  }
  return { data: out, width, height, channels }
}

function pad(pixels: Pixels, width: number, height: number): Pixels {
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
