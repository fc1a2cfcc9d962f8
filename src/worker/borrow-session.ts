import { performance } from 'node:perf_hooks'
import { computeInFloat16 } from '../architecture/index.ts'
import { chooseOffers, engineFailed, type Wish } from '../engine/index.ts'
import { AppError, invariant } from '../error.ts'
import type { ModelPlan } from '../usecase/index.ts'
import { engineDevices, type EngineDevice } from './engine-devices.ts'
import { loadWeights } from './load-weights.ts'
import { sessionKey, weightBytes, type BorrowedSession, type LoadedSession } from './session-cache.ts'
import type { Workbench } from './workbench.ts'

/** A device that a session could not be loaded on. */
interface Failed {
  readonly device: string
  readonly engine: string
  readonly reason: string
}

/** A session on a device. */
export interface ReadySession {
  readonly borrowed: BorrowedSession
  readonly on: EngineDevice
  /** Why it is on this device with this engine. */
  readonly choice: string
  /** Devices that were tried before it, and why they are not used. */
  readonly failed: readonly Failed[]
  readonly milliseconds: number
}

/**
 * A session for a plan where the wish says; for `auto` where it is fastest of what can load it.
 * @param there the devices, where they are known: an engine that is busy takes its time to tell.
 * @throws AppError DEVICE_UNAVAILABLE, ARCHITECTURE_UNSUPPORTED_OPERATOR, DEVICE_OUT_OF_MEMORY, ENGINE_FAILED, BINDING_FAILED; the reason of `signal`.
 */
export async function borrowSession(
  bench: Workbench,
  plan: ModelPlan,
  wish: Wish,
  signal: AbortSignal,
  there?: readonly EngineDevice[],
): Promise<ReadySession> {
  const begin = performance.now()
  const { offers, reason } = chooseOffers(wish, plan.graph, there ?? (await engineDevices(bench.engines)))
  const failed: Failed[] = []
  for (const on of offers)
    try {
      const key = sessionKey(plan, on.engine.name, on.device.id, wish.computeDType)
      const borrowed = await bench.sessions.borrow(key, () =>
        load(
          bench,
          wish.computeDType === 'float16' ? { ...plan, graph: computeInFloat16(plan.graph) } : plan,
          on,
          signal,
        ),
      )
      const choice = [...failed.map(({ device, engine }) => `${engine} on ${device} failed`), reason].join('; ')
      return { borrowed, on, choice, failed, milliseconds: performance.now() - begin }
    } catch (error) {
      const isGone = error instanceof AppError && error.code === 'DEVICE_UNAVAILABLE'
      if (!(isGone || engineFailed(error)) || on === offers.at(-1)) throw error
      failed.push({ device: on.device.id, engine: on.engine.name, reason: error.message })
    }
  invariant(false, 'there is an offer, and the last one is returned or thrown')
}

async function load(
  { blobs, threads }: Workbench,
  plan: ModelPlan,
  { engine, device }: EngineDevice,
  signal: AbortSignal,
): Promise<LoadedSession> {
  // An engine may read the files for as long as the session lives: they stay as long.
  const lease = blobs.lease()
  try {
    const parameters = await loadWeights(plan, lease, signal)
    signal.throwIfAborted()
    const session = await engine.load(plan.graph, parameters, device.id, { threads })
    return { session, bytes: weightBytes(plan) * session.lanes, resources: lease }
  } catch (error) {
    await lease[Symbol.asyncDispose]()
    throw error
  }
}
