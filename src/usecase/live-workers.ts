import { AppError } from '../error.ts'
import type { WorkerRow } from '../store/index.ts'
import type { Platform } from './platform.ts'

/** A device of a worker, as its row keeps it. */
export type WorkerDevice = {
  readonly engine: string
  readonly version: string
  /** As PyTorch names it. */
  readonly id: string
  readonly description: string
  readonly memoryBytes: number | null
}

/** The workers that are alive, the oldest first. */
export const liveWorkers = ({ store }: Platform): Promise<readonly WorkerRow[]> => store.workers.live()

/** The devices of the workers that are alive; null when none is. */
export async function liveDevices(platform: Platform): Promise<readonly WorkerDevice[] | null> {
  const workers = await liveWorkers(platform)
  // `runWorker` writes them so.
  return workers.length === 0 ? null : workers.flatMap(({ devices }) => devices as unknown as WorkerDevice[])
}

/** What every worker has: what a run may ask for before the first worker is there. */
const EVERYWHERE = ['cpu']

/** Ids of the devices that there are, or will be. */
export const deviceIds = (devices: readonly WorkerDevice[] | null): readonly string[] =>
  devices === null ? EVERYWHERE : devices.map(({ id }) => id)

/**
 * Checks that some worker has the device that a run asks for: `auto`, `cpu`, `cuda` (the first one), `cuda:1`.
 * @throws AppError DEVICE_UNAVAILABLE that lists what there is.
 */
export function checkDevice(device: string, devices: readonly WorkerDevice[] | null): void {
  const ids = new Set(deviceIds(devices))
  if (device === 'auto' || ids.has(device) || ids.has(`${device}:0`)) return
  const there =
    devices === null
      ? 'no worker is alive at the moment, so that only auto and cpu can be asked for'
      : `the workers that are alive have ${[...ids].join(', ')}`
  throw new AppError(
    'DEVICE_UNAVAILABLE',
    `there is no device ${JSON.stringify(device)}: ${there}; name one of them, or auto for the fastest`,
  )
}
