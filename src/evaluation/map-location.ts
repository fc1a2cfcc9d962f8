import { AppError } from '../error.ts'

/**
 * torch.load's `map_location` as data: a location for every storage, or a map from saved tags to locations (exact lookup: `cuda` does not
 * match `cuda:0`; a tag that is not in it stays), or null for the tags as saved.
 */
export type MapLocation =
  | { readonly kind: 'device'; readonly location: string }
  | { readonly kind: 'tags'; readonly locations: ReadonlyMap<string, string> }

/** Where torch.load would put a storage that was saved with a tag. */
export function mapLocation(tag: string, mapping: MapLocation | null): string {
  switch (mapping?.kind) {
    case undefined:
      return tag
    case 'device':
      return mapping.location
    case 'tags':
      return mapping.locations.get(tag) ?? tag
  }
}

/** Backends whose location is `NAME` or `NAME:INDEX`. Source: torch/serialization.py, register_package. */
const BACKENDS = ['cuda', 'hpu', 'xpu', 'mtia']

const CURE = "To evaluate it anyway, set mapLocation to 'cpu' (--map-location cpu)."

/**
 * Checks that storages can be restored at their locations, as torch.load does.
 * @param locations after `mapLocation`.
 * @param devices ids of the devices of the worker: `cpu`, `cuda:0`.
 * @throws AppError DEVICE_UNAVAILABLE in PyTorch's words, with the cure.
 */
export function checkLocations(locations: Iterable<string>, devices: readonly string[]): void {
  for (const location of new Set(locations)) {
    const problem = locationProblem(location, devices)
    if (problem !== null) throw new AppError('DEVICE_UNAVAILABLE', `${problem} ${CURE}`)
  }
}

/**
 * Checks that torch.load knows the locations that a mapping puts storages at, on whatever machine it will be: their names, not whether
 * the devices are there. Tags that the mapping leaves alone are as they were saved.
 * @param tags of the storages, before `mapLocation`.
 * @throws AppError DEVICE_UNAVAILABLE in PyTorch's words.
 */
export function checkTargets(tags: Iterable<string>, mapping: MapLocation | null): void {
  for (const tag of new Set(tags)) {
    const location = mapLocation(tag, mapping)
    if (location === tag && mapping?.kind !== 'device') continue
    const backend = backendOf(location)
    const index = backend === undefined ? 0 : indexOf(backend, location)
    const problem =
      location === 'meta'
        ? "The storages are mapped to 'meta', where tensors have no values; there would be nothing in the file."
        : Number.isNaN(index)
          ? `Invalid device string: '${location}'`
          : backend === undefined && location !== 'cpu' && !location.startsWith('mps')
            ? unknownLocation(location)
            : null
    if (problem !== null)
      throw new AppError('DEVICE_UNAVAILABLE', `${problem} Choose 'cpu', 'cuda:0' or another location of torch.load.`)
  }
}

const backendOf = (location: string): string | undefined =>
  BACKENDS.find((name) => location === name || new RegExp(`^${name}(:|[0-9]+)`).test(location))

/** NaN where the location is none. */
const indexOf = (backend: string, location: string): number =>
  location === backend ? 0 : Number(/^:([0-9]+)$/.exec(location.slice(backend.length))?.[1] ?? NaN)

const unknownLocation = (location: string): string =>
  `don't know how to restore data location of torch.storage.UntypedStorage (tagged with ${location})`

function locationProblem(location: string, devices: readonly string[]): string | null {
  if (location === 'cpu') return null
  if (location === 'meta')
    return "The storages are mapped to 'meta', where tensors have no values; there is nothing to evaluate."
  const backend = backendOf(location)
  if (backend !== undefined) return backendProblem(backend, location, devices)
  if (location.startsWith('mps'))
    return devices.some((id) => id.startsWith('mps'))
      ? null
      : 'Attempting to deserialize object on MPS device but torch.backends.mps.is_available() is False.'
  return unknownLocation(location)
}

function backendProblem(backend: string, location: string, devices: readonly string[]): string | null {
  const index = indexOf(backend, location)
  if (Number.isNaN(index)) return `Invalid device string: '${location}'`
  const count = devices.filter((id) => id.split(':', 1)[0] === backend).length
  const name = backend.toUpperCase()
  if (count === 0)
    return (
      (backend === 'hpu' || backend === 'mtia'
        ? `The ${name} device module is not registered. `
        : `Attempting to deserialize object on a ${name} device but torch.${backend}.is_available() is False. `) +
      "If you are running on a CPU-only machine, please use torch.load with map_location=torch.device('cpu') " +
      'to map your storages to the CPU.'
    )
  if (index < count) return null
  return (
    `Attempting to deserialize object on ${name} device ${index} but torch.${backend}.device_count() is ${count}. ` +
    'Please use torch.load with map_location to map your storages to an existing device.'
  )
}
