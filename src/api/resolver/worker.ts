import { devicesOf, type WorkerDevice } from '../../usecase/index.ts'
import type { ComputeDtype, DeviceResolvers, WorkerResolvers } from '../generated/resolvers.ts'
import type { WorkerRow } from '../../store/index.ts'
import { encodeId } from '../object-id.ts'

/** Fields of `Worker` that are no columns. */
export const workerResolvers: WorkerResolvers = {
  id: ({ id }) => encodeId('Worker', id),
  devices: (worker) => [...devicesOf(worker)],
}

/** Fields of `Device`; its parent is an item of the column `devices`. */
export const deviceResolvers: DeviceResolvers = {
  memoryBytes: ({ memoryBytes }) => memoryBytes ?? null,
  computeDtypes: ({ computeDTypes }) => computeDTypes.map((dtype) => dtype.toUpperCase() as ComputeDtype),
  lackingOperators: ({ lacks }) => [...lacks.operators],
}

/** The devices of all workers, each once. */
export function distinctDevices(workers: readonly WorkerRow[]): WorkerDevice[] {
  const devices = new Map<string, WorkerDevice>()
  for (const device of workers.flatMap(devicesOf))
    devices.set(JSON.stringify([device.id, device.engine, device.version, device.description]), device)
  return [...devices.values()]
}
