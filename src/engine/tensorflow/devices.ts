import type { Device } from '../engine.ts'
import { graphicsCards } from '../graphics-cards.ts'
import { processor } from '../processor.ts'

/**
 * The one device that the native library computes on. The binding of tfjs-node has no choice of devices: it takes the last graphics
 * card that CUDA shows it (CUDA_VISIBLE_DEVICES), and the processor where there is none.
 */
export async function nativeDevices(usesGpu: boolean): Promise<readonly Device[]> {
  if (!usesGpu) return [processor()]
  const cards = await graphicsCards()
  const card = cards.at(-1)
  return [
    {
      id: `cuda:${Math.max(0, cards.length - 1)}`,
      description: card?.name ?? 'NVIDIA graphics card',
      memoryBytes: card?.memoryBytes ?? null,
      // TensorFlow.js has no other floating point.
      computeDTypes: ['float32'],
    },
  ]
}
