import { ACTIVATION } from './activation.ts'
import { ADAPTIVE_POOLING } from './adaptive-pooling.ts'
import { CONVOLUTION } from './convolution.ts'
import type { Layer } from './layer.ts'
import { LINEAR } from './linear.ts'
import { NORMALIZATION } from './normalization.ts'
import { POOLING } from './pooling.ts'
import { SHAPE } from './shape.ts'

/** Every layer of a layer list, by its name in torch.nn. */
export const LAYERS: ReadonlyMap<string, Layer> = new Map(
  [...LINEAR, ...CONVOLUTION, ...NORMALIZATION, ...ACTIVATION, ...POOLING, ...ADAPTIVE_POOLING, ...SHAPE].map(
    (layer) => [layer.type, layer],
  ),
)

/** Holds layers, and is one. */
export const SEQUENTIAL = 'Sequential'

/** The types that a layer list may name. */
export const LAYER_TYPES: readonly string[] = [...LAYERS.keys(), SEQUENTIAL].sort()
