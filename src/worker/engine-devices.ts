import type { Device, Engine } from '../engine/index.ts'

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
