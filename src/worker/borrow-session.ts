import { performance } from 'node:perf_hooks'
import { engineFailed } from '../engine/index.ts'
import { AppError } from '../error.ts'
import type { ModelPlan } from '../usecase/index.ts'
import { candidates, engineDevices, type EngineDevice } from './engine-devices.ts'
import { loadWeights } from './load-weights.ts'
import { sessionKey, weightBytes, type BorrowedSession, type LoadedSession } from './session-cache.ts'
import type { Workbench } from './workbench.ts'

/** A session on a device. */
export interface ReadySession {
  readonly borrowed: BorrowedSession
  readonly on: EngineDevice
  /** Devices that were tried before it, and why they are not used. */
  readonly failed: readonly { readonly device: string; readonly reason: string }[]
  readonly milliseconds: number
}

/**
 * A session for a plan on the device that was asked for; for `auto` on the fastest that can load it.
 * @param there the devices, where they are known: an engine that is busy takes its time to tell.
 * @throws AppError DEVICE_UNAVAILABLE, DEVICE_OUT_OF_MEMORY, ENGINE_FAILED, BINDING_FAILED; the reason of `signal`.
 */
export async function borrowSession(
  bench: Workbench,
  plan: ModelPlan,
  requested: string,
  signal: AbortSignal,
  there?: readonly EngineDevice[],
): Promise<ReadySession> {
  const begin = performance.now()
  const tried = candidates(requested, there ?? (await engineDevices(bench.engines)))
  const failed: { readonly device: string; readonly reason: string }[] = []
  for (const on of tried)
    try {
      const key = sessionKey(plan, on.engine.name, on.device.id)
      const borrowed = await bench.sessions.borrow(key, () => load(bench, plan, on, signal))
      return { borrowed, on, failed, milliseconds: performance.now() - begin }
    } catch (error) {
      const isGone = error instanceof AppError && error.code === 'DEVICE_UNAVAILABLE'
      if (!(isGone || engineFailed(error)) || on === tried.at(-1)) throw error
      failed.push({ device: on.device.id, reason: error.message })
    }
  throw new AppError('DEVICE_UNAVAILABLE', `there is no device ${JSON.stringify(requested)} on this worker`)
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
