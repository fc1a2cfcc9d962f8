import type { KeyMapping } from '../../evaluation/index.ts'
import type { ImageOptions, MapLocationInput as MapLocation, WishInput } from '../../usecase/index.ts'
import type { ComputeDType, EngineName } from '../../engine/index.ts'
import type {
  ComputeDtype,
  EngineChoice,
  ImageOptionsInput,
  KeyMappingInput,
  MapLocationInput,
} from '../generated/resolvers.ts'
import { InputError } from '../input-error.ts'

/** A change of keys as use cases take it. */
export const keyMapping = (input: KeyMappingInput | null | undefined): KeyMapping | null =>
  input == null
    ? null
    : {
        stripPrefix: input.stripPrefix ?? undefined,
        renamePrefixes: input.renamePrefixes ?? undefined,
        addPrefix: input.addPrefix ?? undefined,
      }

/**
 * A map location as use cases take it.
 * @throws AppError BAD_INPUT when a tag is mapped twice.
 */
export function mapLocation(input: MapLocationInput | null | undefined): MapLocation | null {
  if (input == null) return null
  if (input.device !== undefined) return { device: input.device }
  const tags = new Map<string, string>()
  for (const { from, to } of input.tags) {
    if (tags.has(from))
      throw new InputError(
        'BAD_INPUT',
        `the location tag ${JSON.stringify(from)} is mapped twice; give each tag once`,
        ['input', 'mapLocation', 'tags'],
      )
    tags.set(from, to)
  }
  return { tags: Object.fromEntries(tags) }
}

/**
 * What is done to images, as use cases take it.
 * @throws AppError BAD_INPUT for sizes that are none.
 */
export function imageOptions(input: ImageOptionsInput | null | undefined): ImageOptions | null {
  if (input == null) return null
  const { resize, centerCrop, interpolation, grayscale } = input
  const [edge, width] = sizeOf('resize', resize) ?? []
  const crop = sizeOf('centerCrop', centerCrop)
  return {
    resize: edge === undefined ? undefined : width === undefined ? edge : [edge, width],
    centerCrop: crop === null ? undefined : [crop[0], crop[1] ?? crop[0]],
    interpolation: interpolation ?? undefined,
    grayscale: grayscale ?? undefined,
  }
}

/** Pixels of an edge. */
const MAX_EDGE = 8192

function sizeOf(name: string, size: readonly number[] | null | undefined): readonly [number, number?] | null {
  if (size == null) return null
  if ((size.length === 1 || size.length === 2) && size.every((edge) => edge >= 1 && edge <= MAX_EDGE))
    return size as readonly [number, number?]
  throw new InputError(
    'BAD_INPUT',
    `${name} is [${size.join(', ')}]; one or two lengths from 1 to ${MAX_EDGE} are expected`,
    ['input', 'images', name],
  )
}

/** Where and how to execute, among other fields of an input, as use cases take it. */
export function wished<Input extends WishFields>(input: Input): Omit<Input, 'engine' | 'computeDtype'> & WishInput {
  const { engine, computeDtype, ...rest } = input
  return {
    ...rest,
    engine: engine?.toLowerCase() as EngineName | 'auto' | undefined,
    computeDType: computeDtype?.toLowerCase() as ComputeDType | undefined,
  }
}

interface WishFields {
  readonly engine?: EngineChoice | null | undefined
  readonly computeDtype?: ComputeDtype | null | undefined
}
