import { quoted } from '../container/index.ts'
import { AppError } from '../error.ts'
import type { DatasetLimits } from './dataset-limits.ts'
import type { ImageOptions } from './dataset-options.ts'
import { cut, middle, pad, resize, type Pixels } from './pil-resize.ts'
import { loadSharp } from './sharp.ts'

/**
 * An image file as torchvision sees it: its loader's RGB, then Grayscale, Resize and CenterCrop. Colour profiles and the orientation tag are
 * passed over, as Pillow does.
 * @returns channels × height × width.
 * @throws AppError DATASET_CORRUPT, LIMIT_EXCEEDED.
 */
export async function decodeImage(
  where: string,
  bytes: Uint8Array,
  options: ImageOptions,
  limits: DatasetLimits,
): Promise<Pixels> {
  const rgb = await decode(where, bytes, limits)
  const own = options.grayscale === true ? luminance(rgb) : rgb
  const { resize: size, interpolation = 'BILINEAR', centerCrop: crop } = options
  const [height, width] = size === undefined ? [own.height, own.width] : targetSize(own, size)
  // What is cropped away is not made; a smaller image is put on black first.
  const fits = crop !== undefined && crop[0] <= height && crop[1] <= width
  const resized = resize(own, width, height, interpolation, fits ? middle(width, height, crop) : undefined)
  const cropped = crop === undefined ? resized : middleOf(pad(resized, crop), crop)
  return { ...cropped, data: channelsFirst(cropped) }
}

const middleOf = (pixels: Pixels, crop: readonly [height: number, width: number]): Pixels =>
  cut(pixels, middle(pixels.width, pixels.height, crop))

async function decode(where: string, bytes: Uint8Array, limits: DatasetLimits): Promise<Pixels> {
  const sharp = await loadSharp()
  try {
    const { data, info } = await sharp(bytes, {
      limitInputPixels: limits.maxImagePixels,
      failOn: 'error',
      ignoreIcc: true,
      autoOrient: false,
      pages: 1,
    })
      .removeAlpha()
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true })
    const { width, height, channels } = info
    return channels === 1 ? tripled(data, width, height) : { data, width, height, channels }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (/pixel limit/i.test(message))
      throw new AppError('LIMIT_EXCEEDED', `${where} has more pixels than the limit of ${limits.maxImagePixels}`)
    throw new AppError('DATASET_CORRUPT', `${where} cannot be decoded: ${quoted(message, 200)}`)
  }
}

function tripled(grey: Uint8Array, width: number, height: number): Pixels {
  const data = new Uint8Array(3 * grey.length)
  grey.forEach((value, i) => data.fill(value, 3 * i, 3 * i + 3))
  return { data, width, height, channels: 3 }
}

/** Shorter edge to `size`, the longer one in proportion and cut to a whole number, as torchvision's Resize. */
function targetSize(
  { width, height }: Pixels,
  size: NonNullable<ImageOptions['resize']>,
): readonly [height: number, width: number] {
  if (typeof size !== 'number') return size
  return width <= height ? [Math.trunc((size * height) / width), size] : [size, Math.trunc((size * width) / height)]
}

/** ITU-R 601-2 luma in fixed-point numbers, as Pillow's convert('L'). */
function luminance({ data, width, height }: Pixels): Pixels {
  const grey = new Uint8Array(width * height)
  for (let i = 0, at = 0; i < grey.length; i++, at += 3)
    grey[i] = (data[at]! * 19595 + data[at + 1]! * 38470 + data[at + 2]! * 7471 + 0x8000) >> 16
  return { data: grey, width, height, channels: 1 }
}

function channelsFirst({ data, width, height, channels }: Pixels): Uint8Array {
  const size = width * height
  const out = new Uint8Array(size * channels)
  for (let channel = 0; channel < channels; channel++)
    for (let i = 0, from = channel, to = channel * size; i < size; i++, from += channels) out[to++] = data[from]!
  return out
}
