import { chooseDevice, type Device, type Engine } from '../engine/index.ts'

/** A device and the engine that drives it. */
export interface EngineDevice {
  readonly engine: Engine
  readonly device: Device
}

/**
 * Every device of every engine, in the order of the engines.
 * @throws AppError ENGINE_FAILED of an engine that does not work any more.
 */
export async function engineDevices(engines: readonly Engine[]): Promise<readonly EngineDevice[]> {
  const found: EngineDevice[] = []
  for (const engine of engines) for (const device of await engine.devices()) found.push({ engine, device })
  return found
}

/**
 * The devices to try for a run, in order: the one that was asked for; for `auto` the fastest, and then the processor should that fail.
 * @throws AppError DEVICE_UNAVAILABLE.
 */
export function candidates(requested: string, there: readonly EngineDevice[]): readonly EngineDevice[] {
  const chosen = chooseDevice(
    requested,
    there.map(({ device }) => device),
  )
  const first = there.find(({ device }) => device.id === chosen.id)!
  const processor = there.find(({ device }) => device.id === 'cpu')
  return requested === 'auto' && processor !== undefined && processor !== first ? [first, processor] : [first]
}
