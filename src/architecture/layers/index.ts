export { graphFromLayers } from './graph-from-layers.ts'
export { LAYER_ARGUMENTS, LAYER_TYPES } from './table.ts'
