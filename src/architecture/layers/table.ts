import { ACTIVATION } from './activation.ts'
import { ATTENTION } from './attention.ts'
import { ADAPTIVE_POOLING } from './adaptive-pooling.ts'
import { CONVOLUTION } from './convolution.ts'
import { CONVOLUTION_TRANSPOSE } from './convolution-transpose.ts'
import type { Layer } from './layer.ts'
import { LINEAR } from './linear.ts'
import { NORMALIZATION } from './normalization.ts'
import { POOLING } from './pooling.ts'
import { RECURRENT } from './recurrent.ts'
import { SHAPE } from './shape.ts'
import { UPSAMPLE } from './upsample.ts'

/** Every layer of a layer list, by its name in torch.nn. */
export const LAYERS: ReadonlyMap<string, Layer> = new Map(
  [
    ...LINEAR,
    ...CONVOLUTION,
    ...CONVOLUTION_TRANSPOSE,
    ...NORMALIZATION,
    ...ACTIVATION,
    ...POOLING,
    ...ADAPTIVE_POOLING,
    ...SHAPE,
    ...UPSAMPLE,
    ...RECURRENT,
    ...ATTENTION,
  ].map((layer) => [layer.type, layer]),
)

/** Holds layers, and is one. */
export const SEQUENTIAL = 'Sequential'
/** Adds what its layers give to its input, or to what its shortcut gives. */
export const RESIDUAL = 'Residual'

/** The types that a layer list may name, with their arguments. */
export const LAYER_ARGUMENTS: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  [
    ...[...LAYERS].map(([type, { argumentNames }]): [string, readonly string[]] => [type, argumentNames]),
    [SEQUENTIAL, ['layers']] as [string, readonly string[]],
    [RESIDUAL, ['layers', 'shortcut', 'after']] as [string, readonly string[]],
  ].sort(([a], [b]) => (a < b ? -1 : 1)),
)

/** The types that a layer list may name. */
export const LAYER_TYPES: readonly string[] = Object.keys(LAYER_ARGUMENTS)
