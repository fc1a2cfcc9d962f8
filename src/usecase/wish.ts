import type { Graph } from '../architecture/index.ts'
import { chooseOffers, NOTHING, type ComputeDType, type EngineName, type Wish } from '../engine/index.ts'
import { AppError } from '../error.ts'
import type { WorkerDevice } from './live-workers.ts'

/** What a client says about where and how a graph is executed; what it leaves out is chosen. */
export interface WishInput {
  /** `auto` by default, or the id of a device. */
  readonly device?: string | null | undefined
  /** `auto` by default. */
  readonly engine?: EngineName | 'auto' | null | undefined
  /** float32 by default. */
  readonly computeDType?: ComputeDType | null | undefined
}

/** A wish with everything that was left out. */
export const wishOf = ({ device, engine, computeDType }: WishInput): Wish => ({
  device: device ?? 'auto',
  engine: engine ?? 'auto',
  computeDType: computeDType ?? 'float32',
})

/** What every worker has: what may be asked for before the first worker is there. */
const EVERYWHERE: WorkerDevice = {
  engine: 'onnxruntime',
  version: '',
  id: 'cpu',
  description: '',
  memoryBytes: null,
  computeDTypes: ['float32'],
  lacks: NOTHING,
}

/** Ids of the devices that there are, or will be. */
export const deviceIds = (devices: readonly WorkerDevice[] | null): readonly string[] =>
  (devices ?? [EVERYWHERE]).map(({ id }) => id)

/**
 * Checks that some worker can do what is asked for.
 * @param devices those of the live workers; null when none is alive.
 * @returns the wish with the id of the device: `cuda:0` for `cuda`.
 * @throws AppError DEVICE_UNAVAILABLE, ARCHITECTURE_UNSUPPORTED_OPERATOR.
 */
export function checkWish(wish: Wish, graph: Graph, devices: readonly WorkerDevice[] | null): Wish {
  try {
    const { offers } = chooseOffers(wish, graph, (devices ?? [EVERYWHERE]).map(offerOf))
    return wish.device === 'auto' ? wish : { ...wish, device: offers[0].device.id }
  } catch (error) {
    if (devices !== null || !(error instanceof AppError)) throw error
    throw new AppError(
      error.code,
      `no worker is alive at the moment, so that only what every worker has can be asked for: ${error.message}`,
    )
  }
}

const offerOf = (device: WorkerDevice) => ({ engine: { name: device.engine, lacks: device.lacks }, device })

/** What a question has to find in a worker, as a word. */
export const placeOf = ({ device, engine, computeDType }: Wish): string => `${engine}/${device}/${computeDType}`

/** All words that a worker answers to. */
export function placesOf(devices: readonly Pick<WorkerDevice, 'engine' | 'id' | 'computeDTypes'>[]): readonly string[] {
  const places = devices.flatMap(({ engine, id, computeDTypes }) =>
    (['auto', engine] as const).flatMap((name) =>
      ['auto', id].flatMap((device) =>
        computeDTypes.map((computeDType) => placeOf({ engine: name, device, computeDType })),
      ),
    ),
  )
  return [...new Set(places)]
}
