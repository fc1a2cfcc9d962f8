import type { CheckpointFormat } from '../../checkpoint/index.ts'
import { AppError } from '../../error.ts'
import type { KeyMapping, MapLocation } from '../../evaluation/index.ts'
import { FLOAT_TARGETS, type FloatTarget } from '../../tensor/index.ts'
import { keyMappingOf, type KeyMappingInput } from '../key-mapping-json.ts'
import { mapLocationOf, type MapLocationInput } from '../map-location-json.ts'

/** The files that a checkpoint is written as. */
export const DOWNLOAD_FORMATS = ['pth', 'safetensors'] as const
export type DownloadFormat = (typeof DOWNLOAD_FORMATS)[number]

/** How much of a checkpoint is written: everything that the file held, or only its state_dict. */
export const DOWNLOAD_CONTENTS = ['all', 'state_dict'] as const
export type DownloadContent = (typeof DOWNLOAD_CONTENTS)[number]

/** What a client may say about a file that it wants; the checkpoint as it is unless told otherwise. */
export interface DownloadInput {
  /** That of the file that was imported by default. */
  readonly format?: DownloadFormat | null | undefined
  /** `all` by default; a safetensors file holds a state_dict and nothing else. */
  readonly content?: DownloadContent | null | undefined
  readonly mapLocation?: MapLocationInput | null | undefined
  /** Floats of the state_dict are converted to it. */
  readonly dtype?: FloatTarget | null | undefined
  readonly keyMapping?: KeyMappingInput | null | undefined
}

/** The same, complete and checked. */
export interface DownloadOptions {
  readonly format: DownloadFormat
  readonly content: DownloadContent
  readonly mapLocation: MapLocation | null
  readonly dtype: FloatTarget | null
  readonly keyMapping: KeyMapping | null
}

/**
 * Completes what a client said.
 * @param imported the kind of file that the checkpoint came from.
 * @throws AppError BAD_INPUT.
 */
export function downloadOptions(input: DownloadInput, imported: CheckpointFormat): DownloadOptions {
  const format =
    oneOf('format', DOWNLOAD_FORMATS, input.format) ?? (imported.startsWith('safetensors') ? 'safetensors' : 'pth')
  const content = oneOf('content', DOWNLOAD_CONTENTS, input.content)
  if (format === 'safetensors' && content === 'all' && !imported.startsWith('safetensors'))
    throw new AppError(
      'BAD_INPUT',
      'a safetensors file holds tensors by name and nothing else; ask for content state_dict, or for format pth',
    )
  return {
    format,
    content: content ?? (format === 'safetensors' ? 'state_dict' : 'all'),
    mapLocation: mapLocationOf(input.mapLocation ?? null),
    dtype: oneOf('dtype', FLOAT_TARGETS, input.dtype) ?? null,
    keyMapping: keyMappingOf(input.keyMapping),
  }
}

function oneOf<T extends string>(name: string, values: readonly T[], value: string | null | undefined): T | undefined {
  if (value == null) return undefined
  const found = values.find((candidate) => candidate === value)
  if (found === undefined)
    throw new AppError('BAD_INPUT', `${name} is ${JSON.stringify(value)}; ${values.join(' or ')} is expected`)
  return found
}
