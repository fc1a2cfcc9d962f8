import type { ComputeDType, Device } from './engine.ts'
import type { Card } from './graphics-cards.ts'

/**
 * The device that WebGPU computes on. Which adapter was chosen can be asked in part at most; where there is one card, it is that one.
 * @param adapter what is known of it by name, or ''.
 * @param computeDTypes that were found to be computed in.
 */
export function webgpuDevice(
  cards: readonly Card[],
  adapter = '',
  computeDTypes: readonly ComputeDType[] = ['float32'],
): Device {
  const [card] = cards.length === 1 ? cards : []
  return {
    id: 'webgpu',
    description: card?.name ?? (adapter || 'WebGPU adapter'),
    memoryBytes: card?.memoryBytes ?? null,
    computeDTypes,
  }
}
