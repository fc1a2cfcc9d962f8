import { checkLocations, mapLocation, type MapLocation } from '../evaluation/index.ts'
import type { Prisma } from '../store/index.ts'

/** torch.load's map_location as a client gives it and as a run's row keeps it: one of the two. */
export type MapLocationInput =
  | { readonly device: string; readonly tags?: undefined }
  | { readonly device?: undefined; readonly tags: Readonly<Record<string, string>> }

/**
 * Checks that torch.load would find a place for every storage.
 * @throws AppError DEVICE_UNAVAILABLE in PyTorch's words.
 */
export function checkSavedLocations(
  tags: readonly string[],
  input: MapLocationInput | null,
  devices: readonly string[],
): void {
  const mapping = mapLocationOf(input)
  checkLocations(
    tags.map((tag) => mapLocation(tag, mapping)),
    devices,
  )
}

/** As a run's row keeps it. */
export function mapLocationJson(input: MapLocationInput | null): Prisma.InputJsonObject | null {
  if (input === null) return null
  return input.device === undefined ? { tags: input.tags } : { device: input.device }
}

/** What the evaluation takes. */
export function mapLocationOf(input: MapLocationInput | null): MapLocation | null {
  if (input === null) return null
  return input.device === undefined
    ? { kind: 'tags', locations: new Map(Object.entries(input.tags)) }
    : { kind: 'device', location: input.device }
}
