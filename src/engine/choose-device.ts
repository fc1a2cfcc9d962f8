import { AppError } from '../error.ts'
import type { Device } from './engine.ts'

/** Kinds of device from the fastest to the one that is always there: what `auto` takes. */
const PREFERENCE = ['cuda', 'mps', 'webgpu', 'cpu']

/**
 * The device that a run asked for: `auto`, `cpu`, `cuda` (the first), `cuda:1`, `webgpu`.
 * @throws AppError DEVICE_UNAVAILABLE that lists the devices that are there.
 */
export function chooseDevice(requested: string, devices: readonly Device[]): Device {
  const found =
    requested === 'auto'
      ? PREFERENCE.map((kind) => devices.find(({ id }) => kindOf(id) === kind)).find((device) => device !== undefined)
      : (devices.find(({ id }) => id === requested) ?? devices.find(({ id }) => id === `${requested}:0`))
  if (found !== undefined) return found
  const there = devices.length === 0 ? 'there is none' : `there are ${devices.map(({ id }) => id).join(', ')}`
  throw new AppError(
    'DEVICE_UNAVAILABLE',
    `no device ${JSON.stringify(requested)} on this worker: ${there}; name one of them, or 'auto' for the fastest`,
  )
}

const kindOf = (id: string): string => id.split(':', 1)[0]!

/** Place of a device's kind, from the fastest to the slowest. */
export function kindRank(id: string): number {
  const rank = PREFERENCE.indexOf(kindOf(id))
  return rank < 0 ? PREFERENCE.length : rank
}
