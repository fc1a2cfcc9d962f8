import type { ComputeDType, EngineLacks, EngineName } from '../engine/index.ts'
import type { WorkerRow } from '../store/index.ts'
import type { Platform } from './platform.ts'

/** A device of a worker, as its row keeps it. */
export type WorkerDevice = {
  readonly engine: EngineName
  readonly version: string
  /** As PyTorch names it. */
  readonly id: string
  readonly description: string
  readonly memoryBytes: number | null
  readonly computeDTypes: readonly ComputeDType[]
  /** What its engine cannot execute. */
  readonly lacks: EngineLacks
}

/** The workers that are alive, the oldest first. */
export const liveWorkers = ({ store }: Platform): Promise<readonly WorkerRow[]> => store.workers.live()

/** The devices of a worker, as `runWorker` writes them. */
export const devicesOf = ({ devices }: Pick<WorkerRow, 'devices'>): readonly WorkerDevice[] =>
  devices as unknown as readonly WorkerDevice[]

/** The devices of the workers that are alive; null when none is. */
export async function liveDevices(platform: Platform): Promise<readonly WorkerDevice[] | null> {
  const workers = await liveWorkers(platform)
  return workers.length === 0 ? null : workers.flatMap(devicesOf)
}
