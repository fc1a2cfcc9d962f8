import type { Device, DeviceResolvers, WorkerResolvers } from '../generated/resolvers.ts'
import type { WorkerRow } from '../../store/index.ts'
import { encodeId } from '../object-id.ts'

/** Fields of `Worker` that are no columns. */
export const workerResolvers: WorkerResolvers = {
  id: ({ id }) => encodeId('Worker', id),
  devices: devicesOf,
}

/** Fields of `Device`; its parent is an item of the column `devices`. */
export const deviceResolvers: DeviceResolvers = {
  memoryBytes: ({ memoryBytes }) => memoryBytes ?? null,
}

/** The devices of all workers, each once. */
export function distinctDevices(workers: readonly WorkerRow[]): Device[] {
  const devices = new Map<string, Device>()
  for (const device of workers.flatMap(devicesOf))
    devices.set(JSON.stringify([device.id, device.engine, device.version, device.description]), device)
  return [...devices.values()]
}

function devicesOf({ devices }: WorkerRow): Device[] {
  return devices as unknown as Device[]
}
